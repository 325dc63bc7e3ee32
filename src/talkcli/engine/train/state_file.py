"""The file of a training state: the same bytes for the same state, and no state once a byte has changed.

The archive is PyTorch's, with checksums of its parts; beside them lies a SHA-256 of what they say.
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
    "Put an undamaged copy of it back and go on with `resume`, or start again with `overwrite`; models that "
    "the run has made are files of their own, keep those you want elsewhere first."
)


class Moments(BaseModel):
    """What an optimiser remembers of each trained weight that has had a gradient, by its number."""

    model_config = ConfigDict(arbitrary_types_allowed=True, strict=True)

    state: dict[int, dict[str, Tensor]]


class State(BaseModel):
    """Everything a run needs to go on, beside what it was asked; names are those of the model."""

    model_config = ConfigDict(arbitrary_types_allowed=True, strict=True, extra="forbid")

    model: dict[str, Tensor]
    """The weights that `state.changing` selects."""
    frozen: str
    """The hash that `state.frozen_digest` computes."""
    optimiser: Moments
    average: dict[str, Tensor]
    """Running averages of the trained weights; empty where none are kept."""
    best: dict[str, float]
    """Measures of the best validation, with its `step` and `score`; empty before the first."""
    step: Annotated[int, Field(ge=0)]
    """Steps that are done."""


def write_state(path: Path, state: State) -> None:
    """Raise InputError where it cannot be written; the state from before is then still there."""
    content = _plain(state.model_dump())
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            # Given a path, torch would write its name, which is random, into the archive.
            torch.save({**content, _DIGEST: _digest(content)}, file)
    except (RuntimeError, OSError) as error:
        # What torch says of a full disk, in words of its own.
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(
            f"{path} cannot be written; the disk may be full ({reason}).",
            hint="Make room there, then go on with `resume`.",
        ) from error


def read_state(path: Path) -> State:
    """Return the state in `path`. Raises InputError for a file that is damaged in any way."""
    try:
        content = load_weights_only(path)
    except InputError as error:
        raise InputError(f"Training cannot go on: {error.problem}", hint=_WAY_OUT) from error
    if not isinstance(content, dict):
        raise _damaged(path, f"it holds a {type(content).__name__}, no state")
    # Versions before this one wrote none; the checksums of the archive's parts were compared all the same.
    stored = content.pop(_DIGEST, None)
    try:
        state = State.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:100]
        raise _damaged(path, f"{where}: {first['msg']}") from error
    if state.best and not {"step", "score"} <= state.best.keys():
        raise _damaged(path, "its best validation has no step or no score")
    if stored is not None and stored != _digest(_plain(state.model_dump())):
        raise _damaged(path, "its SHA-256 does not fit what it says")
    return state


def _damaged(path: Path, evidence: str) -> InputError:
    return InputError(f"Training cannot go on: {path} is damaged ({evidence}).", hint=_WAY_OUT)


def _plain(value: Any) -> Any:
    """Return `value` with tensors on the CPU and every text once: PyTorch's file tells equal texts from the
    same.
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
