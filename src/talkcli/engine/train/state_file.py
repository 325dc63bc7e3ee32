"""The file of a training state. Equal states give equal bytes, and a changed byte makes the file unreadable.

The file is a PyTorch archive, which has checksums of its parts; it also stores a SHA-256 of its content.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.pt import load_weights_only
from talkcli.engine.train.state import digest

_DIGEST = "digest"
_WAY_OUT = (
    "Restore an undamaged copy of the file and continue with `resume`, or move the models that you want to "
    "keep out of the folder and start again with `overwrite`."
)


class Moments(BaseModel):
    """Moments that an optimiser keeps for each trained weight that has had a gradient, by its number."""

    model_config = ConfigDict(arbitrary_types_allowed=True, strict=True)

    state: dict[int, dict[str, Tensor]]


class State(BaseModel):
    """State from which a run resumes, without its settings; tensors have the names of the model."""

    model_config = ConfigDict(arbitrary_types_allowed=True, strict=True, extra="forbid")

    model: dict[str, Tensor]
    """Weights and buffers that `state.changing` selects."""
    frozen: str
    """Hash of the frozen weights, which `state.frozen_digest` computes."""
    optimiser: Moments
    """Moments of the optimiser."""
    average: dict[str, Tensor]
    """Running averages of the trained weights; empty if averaging is off."""
    best: dict[str, float]
    """Measures of the best validation, with its `step` and `score`; empty before the first validation."""
    step: Annotated[int, Field(ge=0)]
    """Number of completed steps."""


def write_state(path: Path, state: State) -> None:
    """Write `state` to `path`; raise InputError on failure, which leaves the previous file in place."""
    content = _plain(state.model_dump())
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            # `save` gets an open file: given a path, torch would write its random name into the archive.
            torch.save({**content, _DIGEST: _digest(content)}, file)
    except (RuntimeError, OSError) as error:
        # torch reports a full disk as a RuntimeError with its own text.
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(
            f"{path} cannot be written; the disk may be full ({reason}).",
            hint="Make room there, then continue with `resume`.",
        ) from error


def read_state(path: Path) -> State:
    """Return the state in `path`; raise InputError when the file is damaged in any way."""
    try:
        content = load_weights_only(path)
    except InputError as error:
        raise InputError(f"Training cannot resume: {error.problem}", hint=_WAY_OUT) from error
    if not isinstance(content, dict):
        raise _damaged(path, f"it holds a {type(content).__name__}, not a state")
    # Earlier versions wrote no SHA-256; for their files the archive's checksums alone are compared.
    stored = content.pop(_DIGEST, None)
    try:
        state = State.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:100]
        raise _damaged(path, f"{where}: {first['msg']}") from error
    if state.best and not {"step", "score"} <= state.best.keys():
        raise _damaged(path, "its best validation lacks a step or a score")
    if stored is not None and stored != _digest(_plain(state.model_dump())):
        raise _damaged(path, "its SHA-256 does not match its content")
    return state


def _damaged(path: Path, evidence: str) -> InputError:
    return InputError(f"Training cannot resume: {path} is damaged ({evidence}).", hint=_WAY_OUT)


def _plain(value: Any) -> Any:
    """Return `value` with tensors on the CPU and strings interned.

    PyTorch's archive distinguishes equal strings from identical ones, so without interning its bytes vary.
    """
    if isinstance(value, Tensor):
        return value.detach().cpu().contiguous()
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return sys.intern(value) if type(value) is str else value


def _digest(content: dict[str, Any]) -> str:
    leaves = dict(_leaves(content))
    tensors = {name: value for name, value in leaves.items() if isinstance(value, Tensor)}
    others = {name: value for name, value in leaves.items() if name not in tensors}
    words = f"{digest(tensors)} {json.dumps(others, sort_keys=True)}"
    return hashlib.sha256(words.encode()).hexdigest()


def _leaves(content: dict[Any, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}/")
        else:
            yield f"{above}{key}", value
