"""What adapters of data sets share: finding files, reading names, telling what is missing and left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from talkcli.engine.errors import InputError
from talkcli.engine.prepare.folders import folders_below
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted, some

Name = TypeVar("Name")


@dataclass(frozen=True, kw_only=True)
class Unusable:
    """A recipe that cannot be made: the clip is known, and goes to quarantine with `reason`."""

    reason: str

    @property
    def inputs(self) -> tuple[Path, ...]:
        return ()

    def make(self, source: Source) -> Recording:  # noqa: ARG002  whatever the labels are
        raise InputError(self.reason)


def files_below(root: Path, suffixes: Collection[str]) -> list[Path]:
    """Return the files below `root` with one of the lower-case `suffixes`, in order of path; hidden ones are
    left out (macOS puts a `._NAME` beside each file). Raises InputError when `root` is not a folder, or one
    below it may not be read.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.")
    # Lists of a million files are made here: nothing is asked of the disk about each.
    endings = tuple(suffixes)
    return sorted(
        folder / name
        for folder, names in folders_below(root)
        for name in names
        if name.lower().endswith(endings) and not name.startswith(".")
    )


def read_names(
    root: Path,
    suffixes: Collection[str],
    parse: Callable[[str], Name | None],
    reporter: Reporter,
    *,
    data_set: str,
    hint: str,
) -> tuple[list[tuple[Name, Path]], dict[Path, str]]:
    """Return the files below `root` whose stems `parse` reads, with what it read; and, with the reason,
    those whose stems have the right form and say what is not in the set (there `parse` raises InputError).

    Files of other names (there it gives None) are counted in a warning. Raises InputError, with `hint`, when
    no name is read.
    """
    found: list[tuple[Name, Path]] = []
    broken: dict[Path, str] = {}
    foreign: list[str] = []
    for path in files_below(root, suffixes):
        try:
            name = parse(path.stem)
        except InputError as error:
            broken[path] = error.problem
            continue
        if name is None:
            foreign.append(path.relative_to(root).as_posix())
        else:
            found.append((name, path))
    if not found:
        odd = "".join(f" ({path.name}: {reason})" for path, reason in list(broken.items())[:1])
        raise InputError(f"{root} holds no file named like {data_set}{odd}.", hint=hint)
    tell_left_out(
        reporter,
        f"files that are not named like {data_set}",
        foreign,
        one=f"file that is not named like {data_set}",
    )
    return found, broken


def tell_left_out(reporter: Reporter, what: str, names: Sequence[str], *, one: str | None = None) -> None:
    """Warn of `names`, if there are any, of which none becomes a clip; `what` they are, in the plural, says
    why. `one` is its singular, where it has one ("of 5 pictures" has none).
    """
    if names:
        reporter.warn(f"Left out {counted(len(names), one or what, what)}: {some(names)}.")


def tell_missing(reporter: Reporter, what: str, names: Sequence[str], *, one: str | None = None) -> None:
    """Warn of `names`, if there are any, that the data set has and that are not here; `what` and `one` are
    those of `tell_left_out`.
    """
    if names:
        reporter.warn(f"Missing: {counted(len(names), one or what, what)}: {some(names)}.")


def is_empty(path: Path) -> bool:
    """Tell whether there is nothing in the file: zero bytes, or a link that leads nowhere."""
    return not path.is_file() or path.stat().st_size == 0


def plain(name: str) -> str:
    """Return `name` as an id: all but letters, digits and `_./-` becomes `_`."""
    return re.sub(r"[^\w./-]", "_", name)


def ranges(numbers: Iterable[int]) -> str:
    """Return numbers for people: 1-3, 7."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
