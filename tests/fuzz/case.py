"""What one attack is: a command, the files it finds, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

# any: refused in words, or done with a plausible result. same: refused, or the result of the undamaged files.
Expected = Literal["any", "refuse", "accept", "same"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call of `talk` in a folder of its own; every path is relative to that folder.

    `outputs` are what the command is asked to write: there and plausible when it succeeds, absent or as they
    were when it fails. `frames` are the fewest and most frames of a motion that is written. `undamaged` holds
    what the damaged files were (None: not there), so that the right result can be had. `environment` is added to the child's.
    """

    argv: tuple[str, ...]
    note: str
    expected: Expected = "any"
    outputs: tuple[str, ...] = ()
    frames: tuple[int, int] = (1, 4000)
    undamaged: Mapping[str, bytes | None] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    stream: str = ""
    """closed-stdout, full-stdout, broken-stdout, closed-stderr or full-stderr: where the output goes."""


Build = Callable[[Random, Path, Path], Case]
"""From chance, the folder of seeds and the case's folder (which it fills) to the case."""


@dataclass(frozen=True)
class Kind:
    """A reader or an option under attack; `weight` is its share of the cases."""

    name: str
    weight: float
    build: Build


def common(drawn: Random, *argv: str) -> tuple[str, ...]:
    """`argv` with or without --json and --quiet."""
    return (*argv, *(option for option in ("--json", "--quiet") if drawn.random() < 0.5))
