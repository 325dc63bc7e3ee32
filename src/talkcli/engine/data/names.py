"""What adapters of data sets share whose labels stand in the names of their files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.data.source import Source
from talkcli.engine.errors import InputError
from talkcli.engine.types import Motion, Speech


@dataclass(frozen=True, kw_only=True)
class Unusable:
    """A recipe that cannot be made: the clip is known, and goes to quarantine with `reason`."""

    reason: str

    @property
    def inputs(self) -> tuple[Path, ...]:
        return ()

    def make(self, source: Source) -> tuple[Speech, Motion]:  # noqa: ARG002  whatever the labels are
        raise InputError(self.reason)


def files_below(root: Path, suffixes: Collection[str]) -> list[Path]:
    """The files below `root` with one of the lower-case `suffixes`, in order of path; hidden ones are left
    out (macOS puts a `._NAME` beside each file). Raises InputError when `root` is not a folder.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.")
    return sorted(
        path
        for path in root.rglob("*")
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and not path.is_dir()
    )


def is_empty(path: Path) -> bool:
    """Whether there is nothing in the file: zero bytes, or a link that leads nowhere."""
    return not path.is_file() or path.stat().st_size == 0


def some(names: Sequence[str], shown: int = 3) -> str:
    """The first names, and how many there are beyond."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")


def ranges(numbers: Iterable[int]) -> str:
    """Numbers for people: 1-3, 7."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
