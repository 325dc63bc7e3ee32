"""The model file: safetensors whose header says what the weights are, and nothing that could run.

Metadata key `talk`: JSON with `format`, `method`, `config` (resolved), `checksum` and what `Meta` holds.
Tensors below `unused.` are somebody else's that nothing here reads, carried for the way back.
"""

from __future__ import annotations

import importlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from talkcli.engine.assets import WEIGHTS_DIR
from talkcli.engine.checkpoints.fit import check, misfits
from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.errors import AssetError, InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.methods import METHODS
from talkcli.engine.types import Config

FORMAT = 2
DEFAULT_WEIGHTS = "deeptalk-small.safetensors"
# The name in a run folder of the checkpoint that validated best.
BEST = "best.safetensors"
_HINT = "Model files are written by talk's training commands and by talk convert."
_WRITER_HINT = "Use the version of talk that wrote the file."
_UNUSED = "unused."

Storage = Literal["float32", "float16"]


class Meta(Config):
    """What a model file says about its weights."""

    head: str
    """Head the coefficients belong to."""
    channels: tuple[str, ...]
    fps: int
    trained_on: str
    """Data in words, with the manifest's hash."""
    licence: str
    """Terms of the data, and so of the weights."""


class Header(Meta):
    """`Meta` with what `save_model` adds."""

    format: int
    method: str
    config: dict[str, Any]
    checksum: int


class Content(NamedTuple):
    """A whole model file."""

    header: Header
    config: Any
    """The config model of the header's method."""
    weights: dict[str, Tensor]
    unused: dict[str, Tensor]
    """What was carried along, under its own names."""


def default_weights() -> Path:
    """The embedded generator. Raises AssetError when the package came without it."""
    path = WEIGHTS_DIR / DEFAULT_WEIGHTS
    if not path.is_file():
        raise AssetError(
            f"The embedded model {path} is missing.",
            hint="Install the package again, or name a model of your own with --model.",
        )
    return path


def model_file(path: Path) -> Path:
    """`path` itself, or the best checkpoint in it when it is a run folder."""
    return path / BEST if path.is_dir() else path


def resolve(target: str) -> Any:
    """The object that `module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


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
    try:
        with atomic_path(path) as temporary:
            save_file(tensors, temporary, metadata={"talk": header.model_dump_json()})
    except SafetensorError as error:
        # A full disk, in its own words.
        raise InputError(
            f"{path} cannot be written ({error}).", hint="Make room there, or write to another disk."
        ) from error


def read_header(path: Path) -> Header:
    """What `path` says about itself. Raises InputError for anything but a model file this version can
    read.
    """
    header, _ = _read(path, weights=False)
    return header


def read_content(path: Path) -> Content:
    """Everything in `path`, in float32.

    Raises InputError when the file is missing, is not a model file, is newer than this version, or damaged.
    """
    header, tensors = _read(path, weights=True)
    if header.method not in METHODS:
        raise InputError(
            f"{path} holds a {header.method}, which this version does not know.",
            hint=f"Known methods: {', '.join(METHODS)}. Update talk.",
        )
    try:
        config = resolve(METHODS[header.method].config).model_validate(header.config)
    except ValidationError as error:
        raise InputError(
            f"The config in {path} does not fit this version's {header.method}: "
            f"{error.errors()[0]['loc']} {error.errors()[0]['msg']}.",
            hint=_WRITER_HINT,
        ) from error
    if _checksum(tensors) != header.checksum:
        raise InputError(f"{path} is damaged: its checksum does not fit its weights.", hint="Copy it again.")
    content = Content(header, config, {}, {})
    for name, value in tensors.items():
        whole = value.float() if value.dtype == torch.float16 else value
        if name.startswith(_UNUSED):
            content.unused[name.removeprefix(_UNUSED)] = whole
        else:
            content.weights[name] = whole
    return content


def load_model(path: Path, device: torch.device | str = "cpu") -> tuple[Any, Header]:
    """The model in evaluation mode on `device`, in float32, and its header.

    Raises InputError for what `read_content` refuses, and when the file does not hold the tensors its config
    asks for.
    """
    header, config, weights, _ = read_content(path)
    with Undrawn():
        model = resolve(METHODS[header.method].model)(config)
    wanted = {name: value.shape for name, value in model.state_dict().items()}
    problem = f"{path} does not hold the weights its config asks for"
    check(problem, misfits(weights, wanted), hint=_WRITER_HINT)
    model.load_state_dict(weights)
    return model.to(device).eval(), header


def _read(path: Path, *, weights: bool) -> tuple[Header, dict[str, Tensor]]:
    if not path.is_file():
        raise InputError(f"There is no model file {path}.", hint=_HINT)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()} if weights else {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a whole safetensors file ({error}).", hint=_HINT) from error
    if "talk" not in metadata:
        raise InputError(f"{path} is a safetensors file of another program.", hint=_HINT)
    try:
        values = json.loads(metadata["talk"])
        number = int(values["format"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"The header of {path} is not readable ({error}).", hint=_HINT) from error
    if number > FORMAT:
        raise InputError(
            f"{path} has model format {number}, this version reads up to {FORMAT}.", hint="Update talk."
        )
    try:
        return Header.model_validate(values), tensors
    except ValidationError as error:
        raise InputError(f"The header of {path} is not complete ({error}).", hint=_HINT) from error


def _stored(value: Tensor, storage: Storage) -> Tensor:
    # Float16 ends at 65504: running sums of a codebook can pass it.
    half = (
        storage == "float16"
        and value.is_floating_point()
        and value.ndim >= 2
        and bool((value.abs() <= torch.finfo(torch.float16).max).all())
    )
    return value.to(torch.float16 if half else value.dtype).contiguous()


def _checksum(tensors: dict[str, Tensor]) -> int:
    """CRC-32 over the tensors' bytes in the order of their names."""
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data, total)
    return total
