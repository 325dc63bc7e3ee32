"""The model file: a safetensors file whose header describes the weights; it contains no code.

The metadata key `talk` holds JSON with `format`, `method`, `config` (resolved), `checksum` and the fields of
`Meta`. Tensors below `unused.` come from a converted third-party file; talk does not use them, but keeps
them for the conversion back.
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
from talkcli.engine.methods import EMBEDDED, METHODS, SHIPPED, build, resolve
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.regular import check_file
from talkcli.engine.types import MODEL_FPS, Config, MotionSpace, first_mistake

FORMAT = 2
# Name of the checkpoint with the best validation in a run folder.
BEST = "best.safetensors"
_HINT = "Model files are written by talk's training commands and by talk convert."
_WRITER_HINT = "Use the version of talk that wrote the file."
_UNUSED = "unused."

Storage = Literal["float32", "float16"]
# The face at rest of a model of vertices; rounded, it would differ from that of the data by 0.06 mm.
_AT_REST = "neutral"


# A name that messages show; the pattern keeps it from being a path.
_Name = Annotated[str, Field(pattern=r"^[\w-]+$", max_length=64)]
_Text = Annotated[str, Field(max_length=20_000)]
_Crc32 = Annotated[int, Field(strict=True, ge=0, lt=1 << 32)]


class Meta(Config):
    """Description of the weights in a model file."""

    head: _Name
    """Head whose coefficients the model generates or reads; for vertices, the name of their topology."""
    channels: Annotated[tuple[_Name, ...], Field(max_length=1024)]
    """Names of the coefficients; empty for vertices."""
    num_verts: Annotated[int, Field(gt=0, le=1 << 18)] | None = None
    """Number of vertices that the model generates or reads; None for coefficients, and files then omit it."""
    fps: Annotated[int, Field(ge=MODEL_FPS, le=120)]
    """Frames per second of the motion: 25 for models that talk trains, more for some converted ones."""
    trained_on: _Text
    """Description of the training data, with the manifest's hash."""
    licence: _Text
    """Terms of the training data, which also apply to the weights."""

    @model_validator(mode="after")
    def _check(self) -> Meta:
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("two channels have the same name")
        if bool(self.channels) == (self.num_verts is not None):
            raise ValueError("a model has either channels or num_verts")
        return self

    @property
    def space(self) -> MotionSpace:
        """Meaning of the values of a frame: channels of a head, or vertices of a topology."""
        return MotionSpace(self.head, self.channels, self.num_verts or 0)


class Header(Meta):
    """`Meta` with the fields that `save_model` adds."""

    format: Annotated[int, Field(strict=True, ge=1)]
    """Version of the file format."""
    method: _Name
    """Name of the method in `METHODS`."""
    config: dict[str, Any]
    """Resolved config of the model, as JSON values."""
    checksum: _Crc32
    """CRC-32 of the tensors."""
    header_checksum: _Crc32 | None = None
    """CRC-32 of the other fields; files of earlier versions have none."""


class Content(NamedTuple):
    """Content of a whole model file."""

    header: Header
    config: Any
    """Config of the model, validated by the header's method."""
    weights: dict[str, Tensor]
    """Weights of the model by name, in float32."""
    unused: dict[str, Tensor]
    """Tensors that talk does not read, by their third-party names."""


def shipped_weights(name: str = EMBEDDED) -> Path:
    """Return the path of one of the `SHIPPED` models; AssetError when the installed package lacks it."""
    path = WEIGHTS_DIR / f"{SHIPPED[name]}.safetensors"
    if not path.is_file():
        raise AssetError(
            f"The {name} model {path} is missing.",
            hint="Install the package again, or give a model of your own with `model`.",
        )
    return path


def model_file(path: Path) -> Path:
    """Return `path` itself, or its best checkpoint if `path` is a run folder."""
    return path / BEST if path.is_dir() else path


def save_model(path: Path, model: nn.Module, *, meta: Meta, storage: Storage = "float32") -> None:
    """Write a model of one of the `METHODS` to `path`; equal weights give equal bytes.

    The `storage` float16 halves the file: it rounds matrices, but neither vectors (statistics, norms) nor the
    face at rest.
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
    """Write a model file like `save_model`, from `weights` instead of a module.

    Args:
        path: File to write.
        weights: Tensors of the model by name.
        method: Name of the method in `METHODS`.
        config: Resolved config of the model.
        meta: Description of the weights.
        storage: Number type of matrices in the file.
        unused: Third-party tensors that the file keeps and `read_content` returns.

    Raises:
        InputError: When `path` cannot be written.
    """
    named = {**weights, **{_UNUSED + name: value for name, value in (unused or {}).items()}}
    tensors = {
        name: _stored(value.detach().cpu(), "float32" if name == _AT_REST else storage)
        for name, value in sorted(named.items())
    }
    header = Header(
        **meta.model_dump(),
        format=FORMAT,
        method=method,
        config=config.model_dump(mode="json"),
        checksum=_checksum(tensors),
    )
    values = header.model_dump(mode="json")
    if header.num_verts is None:
        # Earlier versions, which refuse unknown fields, can then read the file.
        del values["num_verts"]
    values["header_checksum"] = _header_checksum(values)
    try:
        with atomic_path(path) as temporary:
            save_file(tensors, temporary, metadata={"talk": json.dumps(values)})
    except SafetensorError as error:
        # safetensors reports a full disk by its own exception.
        raise InputError(
            f"{path} cannot be written ({error}).", hint="Make room there, or write to another disk."
        ) from error


def read_header(path: Path) -> Header:
    """Return the header of `path`. Raises InputError unless it is a model file that this version can read."""
    with _opened(path) as file:
        return _header(path, file)


def read_config(path: Path) -> tuple[Header, Any]:
    """Return the header of `path`, and its config. Raises InputError as `read_header` does, and when the
    config is not valid in this version.
    """
    header = read_header(path)
    return header, _config(path, header)


def num_values(path: Path) -> int:
    """Return the number of weights of the model in `path`. Raises InputError when it cannot read the file."""
    with _opened(path) as file:
        own = (name for name in file.keys() if not name.startswith(_UNUSED))  # noqa: SIM118
        return sum(math.prod(file.get_slice(name).get_shape()) for name in own)


def read_content(path: Path) -> Content:
    """Return the whole content of `path`, in float32.

    Raises InputError when the file is missing, damaged, not a model file or newer than this version, and when
    it does not hold the tensors of its config, with finite values. It compares names and shapes before it
    allocates any memory for the tensors.
    """
    with _opened(path) as file:
        header = _header(path, file)
        config = _config(path, header)
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        own = {name: shape for name, shape in shapes.items() if not name.startswith(_UNUSED)}
        problem = f"{path} does not hold the weights that its config requires"
        check(problem, misshapen(own, _wanted(path, header, config)), hint=_WRITER_HINT)
        tensors = {name: file.get_tensor(name) for name in shapes}
    if _checksum(tensors) != header.checksum:
        raise InputError(
            f"{path} is damaged: its checksum does not match its weights.", hint="Copy it again."
        )
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
    """Return the model in `path`, in evaluation mode, in float32 and on `device`, and its header.

    Raises InputError when `read_content` does.
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
        raise InputError(f"{path} is not a complete safetensors file ({error}).", hint=_HINT) from error


def _header(path: Path, file: Any) -> Header:
    metadata = file.metadata() or {}
    if "talk" not in metadata:
        raise InputError(f"{path} is a safetensors file of another program.", hint=_HINT)
    try:
        values = parse_json(metadata["talk"])
        number = values["format"]
    except (ValueError, TypeError, LookupError) as error:
        raise InputError(f"The header of {path} cannot be read ({error}).", hint=_HINT) from error
    if isinstance(number, int) and number > FORMAT:
        raise InputError(
            f"{path} has model format {number:g}, but this version reads only up to {FORMAT}.",
            hint="Update talk.",
        )
    if values.get("header_checksum") not in (None, _header_checksum(values)):
        raise InputError(f"{path} is damaged: its checksum does not match its header.", hint="Copy it again.")
    try:
        return Header.model_validate(values)
    except ValidationError as error:
        raise InputError(
            f"The header of {path} is incomplete or wrong: {first_mistake(error)}.", hint=_HINT
        ) from error


def _config(path: Path, header: Header) -> Any:
    if header.method not in METHODS:
        raise InputError(
            f"{path} holds a model of {header.method}, a method that this version does not know.",
            hint=f"Known methods: {', '.join(METHODS)}. Update talk.",
        )
    try:
        return resolve(METHODS[header.method].config).model_validate(header.config)
    except ValidationError as error:
        raise InputError(
            f"The config in {path} is not valid for this version's {header.method}: {first_mistake(error)}.",
            hint=_WRITER_HINT,
        ) from error


def _wanted(path: Path, header: Header, config: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes by name of the model of `config`, built without allocating its tensors."""
    try:
        with torch.device("meta"), Undrawn():
            model = build(header.method, config, header.space.width)
    except TalkError as error:
        raise InputError(
            f"The config in {path} describes no valid model: {error.problem}", hint=error.hint
        ) from error
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def _stored(value: Tensor, storage: Storage) -> Tensor:
    # The largest float16 is 65504: running sums of a codebook can exceed it.
    half = (
        storage == "float16"
        and value.is_floating_point()
        and value.ndim >= 2
        and bool((value.abs() <= torch.finfo(torch.float16).max).all())
    )
    return value.to(torch.float16 if half else value.dtype).contiguous()


def _header_checksum(values: Mapping[str, Any]) -> int:
    """Return the CRC-32 of all other fields, as JSON with sorted keys, independent of the file's spacing."""
    fields = {name: value for name, value in values.items() if name != "header_checksum"}
    return zlib.crc32(json.dumps(fields, sort_keys=True).encode())


def _checksum(tensors: dict[str, Tensor]) -> int:
    """Return the CRC-32 of the tensors' bytes in the order of their names."""
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data, total)
    return total
