"""The model file: safetensors whose header says what the weights are, and nothing that could run.

Metadata key `talk`: JSON with `format`, `method`, `config` (resolved), `checksum` and what `Meta` holds.
Tensors below `unused.` are somebody else's that nothing here reads, carried for the way back.
"""

from __future__ import annotations

import contextlib
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import torch
from pydantic import Field, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from talkcli.engine.assets import WEIGHTS_DIR
from talkcli.engine.checkpoints.fit import check, check_finite, misshapen
from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.errors import AssetError, InputError, TalkError
from talkcli.engine.files import atomic_path
from talkcli.engine.methods import METHODS, build, resolve
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.regular import check_file
from talkcli.engine.types import MODEL_FPS, Config, MotionSpace, first_mistake

FORMAT = 2
DEFAULT_WEIGHTS = "deeptalk-small.safetensors"
# The name in a run folder of the checkpoint that validated best.
BEST = "best.safetensors"
_HINT = "Model files are written by talk's training commands and by talk convert."
_WRITER_HINT = "Use the version of talk that wrote the file."
_UNUSED = "unused."

Storage = Literal["float32", "float16"]


# Names are shown, and never the path of a file.
_Name = Annotated[str, Field(pattern=r"^[\w-]+$", max_length=64)]
_Text = Annotated[str, Field(max_length=20_000)]
_Crc32 = Annotated[int, Field(strict=True, ge=0, lt=1 << 32)]


class Meta(Config):
    """What a model file says about its weights."""

    head: _Name
    """The head whose coefficients the model makes or reads; for vertices, the name of their topology."""
    channels: Annotated[tuple[_Name, ...], Field(max_length=1024)]
    """Names of the coefficients; empty for vertices."""
    num_verts: Annotated[int, Field(gt=0, le=1 << 18)] | None = None
    """Number of the vertices that the model makes or reads; None for coefficients. Files state it only where
    it is not None."""
    fps: Annotated[int, Field(ge=MODEL_FPS, le=MODEL_FPS)]
    trained_on: _Text
    """Data in words, with the manifest's hash."""
    licence: _Text
    """Terms of the data, and so of the weights."""

    @model_validator(mode="after")
    def _check(self) -> Meta:
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("two channels have one name")
        if bool(self.channels) == (self.num_verts is not None):
            raise ValueError("a model has either channels or num_verts")
        return self

    @property
    def space(self) -> MotionSpace:
        """What the numbers of a frame mean."""
        return MotionSpace(self.head, self.channels, self.num_verts or 0)


class Header(Meta):
    """`Meta` with what `save_model` adds."""

    format: Annotated[int, Field(strict=True, ge=1)]
    method: _Name
    config: dict[str, Any]
    checksum: _Crc32
    header_checksum: _Crc32 | None = None
    """CRC-32 of the other fields; files of earlier versions have none."""


class Content(NamedTuple):
    """A whole model file."""

    header: Header
    config: Any
    """The config model of the header's method."""
    weights: dict[str, Tensor]
    unused: dict[str, Tensor]
    """Tensors that the file carries and talk does not read, under their own names."""


def default_weights() -> Path:
    """Return the embedded generator. Raises AssetError when the package came without it."""
    path = WEIGHTS_DIR / DEFAULT_WEIGHTS
    if not path.is_file():
        raise AssetError(
            f"The embedded model {path} is missing.",
            hint="Install the package again, or name a model of your own with `model`.",
        )
    return path


def model_file(path: Path) -> Path:
    """Return `path` itself, or the best checkpoint in it when it is a run folder."""
    return path / BEST if path.is_dir() else path


def save_model(path: Path, model: nn.Module, *, meta: Meta, storage: Storage = "float32") -> None:
    """Write the weights of a model of `METHODS` to `path`, byte for byte the same for the same weights.

    `float16` halves the file: matrices lose digits, vectors (statistics, norms) stay whole.
    """
    save_weights(
        path,
        model.state_dict(),
        method=str(model.method),
        config=model.config,  # type: ignore[arg-type]
        meta=meta,
        storage=storage,
    )


def save_weights(
    path: Path,
    weights: Mapping[str, Tensor],
    *,
    method: str,
    config: Config,
    meta: Meta,
    storage: Storage = "float32",
    unused: Mapping[str, Tensor] | None = None,
) -> None:
    """`save_model` without building the model; `unused` tensors are carried along for `read_content`.

    Raises InputError where `path` cannot be written.
    """
    named = {**weights, **{_UNUSED + name: value for name, value in (unused or {}).items()}}
    tensors = {name: _stored(value.detach().cpu(), storage) for name, value in sorted(named.items())}
    header = Header(
        **meta.model_dump(),
        format=FORMAT,
        method=method,
        config=config.model_dump(mode="json"),
        checksum=_checksum(tensors),
    )
    values = header.model_dump(mode="json")
    if header.num_verts is None:
        # So that earlier versions read the file.
        del values["num_verts"]
    values["header_checksum"] = _header_checksum(values)
    try:
        with atomic_path(path) as temporary:
            save_file(tensors, temporary, metadata={"talk": json.dumps(values)})
    except SafetensorError as error:
        # A full disk, in its own words.
        raise InputError(
            f"{path} cannot be written ({error}).", hint="Make room there, or write to another disk."
        ) from error


def read_header(path: Path) -> Header:
    """Return what `path` says about itself. Raises InputError for anything but a model file this version can
    read.
    """
    with _opened(path) as file:
        return _header(path, file)


def read_config(path: Path) -> tuple[Header, Any]:
    """Return the header of `path`, and the config model of its method. Raises InputError as `read_header`,
    and when the config is none of this version.
    """
    header = read_header(path)
    return header, _config(path, header)


def num_values(path: Path) -> int:
    """Return how many numbers the model of `path` has, however they are stored. Raises InputError as
    `read_header`.
    """
    with _opened(path) as file:
        own = (name for name in file.keys() if not name.startswith(_UNUSED))  # noqa: SIM118
        return sum(math.prod(file.get_slice(name).get_shape()) for name in own)


def read_content(path: Path) -> Content:
    """Return everything in `path`, in float32.

    Raises InputError when the file is missing, is not a model file, is newer than this version, damaged, or
    does not hold the finite tensors that its config asks for; before any memory is asked for but theirs.
    """
    with _opened(path) as file:
        header = _header(path, file)
        config = _config(path, header)
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        own = {name: shape for name, shape in shapes.items() if not name.startswith(_UNUSED)}
        problem = f"{path} does not hold the weights its config asks for"
        check(problem, misshapen(own, _wanted(path, header, config)), hint=_WRITER_HINT)
        tensors = {name: file.get_tensor(name) for name in shapes}
    if _checksum(tensors) != header.checksum:
        raise InputError(f"{path} is damaged: its checksum does not fit its weights.", hint="Copy it again.")
    content = Content(header, config, {}, {})
    for name, value in tensors.items():
        whole = value.float() if value.dtype == torch.float16 else value
        if name.startswith(_UNUSED):
            content.unused[name.removeprefix(_UNUSED)] = whole
        else:
            content.weights[name] = whole
    check_finite(content.weights, f"{path}")
    return content


def load_model(path: Path, device: torch.device | str = "cpu") -> tuple[Any, Header]:
    """Return the model in evaluation mode on `device`, in float32, and its header.

    Raises InputError for what `read_content` refuses.
    """
    header, config, weights, _ = read_content(path)
    with Undrawn():
        model = build(header.method, config, header.space.width)
    model.load_state_dict(weights)
    return model.to(device).eval(), header


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise InputError(f"There is no model file {path}.", hint=_HINT)
    check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a whole safetensors file ({error}).", hint=_HINT) from error


def _header(path: Path, file: Any) -> Header:
    metadata = file.metadata() or {}
    if "talk" not in metadata:
        raise InputError(f"{path} is a safetensors file of another program.", hint=_HINT)
    try:
        values = parse_json(metadata["talk"])
        number = values["format"]
    except (ValueError, TypeError, LookupError) as error:
        raise InputError(f"The header of {path} is not readable ({error}).", hint=_HINT) from error
    if isinstance(number, int) and number > FORMAT:
        raise InputError(
            f"{path} has model format {number:g}, this version reads up to {FORMAT}.", hint="Update talk."
        )
    if values.get("header_checksum") not in (None, _header_checksum(values)):
        raise InputError(f"{path} is damaged: its checksum does not fit its header.", hint="Copy it again.")
    try:
        return Header.model_validate(values)
    except ValidationError as error:
        raise InputError(
            f"The header of {path} is not complete or wrong: {first_mistake(error)}.", hint=_HINT
        ) from error


def _config(path: Path, header: Header) -> Any:
    if header.method not in METHODS:
        raise InputError(
            f"{path} holds a {header.method}, which this version does not know.",
            hint=f"Known methods: {', '.join(METHODS)}. Update talk.",
        )
    try:
        return resolve(METHODS[header.method].config).model_validate(header.config)
    except ValidationError as error:
        raise InputError(
            f"The config in {path} does not fit this version's {header.method}: {first_mistake(error)}.",
            hint=_WRITER_HINT,
        ) from error


def _wanted(path: Path, header: Header, config: Any) -> dict[str, tuple[int, ...]]:
    """Return shapes by name of what the model of `config` consists of, found without any of it."""
    try:
        with torch.device("meta"), Undrawn():
            model = build(header.method, config, header.space.width)
    except TalkError as error:
        raise InputError(f"The config in {path} is of no model: {error.problem}", hint=error.hint) from error
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def _stored(value: Tensor, storage: Storage) -> Tensor:
    # Float16 ends at 65504: running sums of a codebook can pass it.
    half = (
        storage == "float16"
        and value.is_floating_point()
        and value.ndim >= 2
        and bool((value.abs() <= torch.finfo(torch.float16).max).all())
    )
    return value.to(torch.float16 if half else value.dtype).contiguous()


def _header_checksum(values: Mapping[str, Any]) -> int:
    """Return CRC-32 over all fields but itself, as JSON with sorted keys: how a file spaces them does not
    count.
    """
    fields = {name: value for name, value in values.items() if name != "header_checksum"}
    return zlib.crc32(json.dumps(fields, sort_keys=True).encode())


def _checksum(tensors: dict[str, Tensor]) -> int:
    """Return CRC-32 over the tensors' bytes in the order of their names."""
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data, total)
    return total
