"""Helpers that adapters of data sets share: find files, parse names, warn of missing and omitted clips."""

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
    """The recipe of a known clip that cannot be made; the clip goes to quarantine with `reason`."""

    reason: str

    @property
    def inputs(self) -> tuple[Path, ...]:
        return ()

    def make(self, source: Source) -> Recording:  # noqa: ARG002  whatever the labels are
        raise InputError(self.reason)


def files_below(root: Path, suffixes: Collection[str]) -> list[Path]:
    """Return the files below `root` with one of the lower-case `suffixes`, in order of path.

    Hidden files are left out (macOS puts a `._NAME` beside each file). Raises InputError when `root` is not a
    folder, or when it or a folder below it cannot be read.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.")
    # The list may hold a million files, so this asks the disk nothing about a single file.
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
    """Parse the names of the files below `root`, and warn of files with foreign names.

    Args:
        root: Folder of the data set.
        suffixes: Lower-case suffixes of the files.
        parse: Returns the meaning of a stem, or None for a foreign name. Raises InputError for a stem of the
            right form whose meaning the data set does not have.
        reporter: Receives the warning.
        data_set: Name of the data set for messages.
        hint: Hint of the InputError.

    Returns:
        The parsed names with their files; and the files for which `parse` raised, with the reason.

    Raises:
        InputError: No file has a name that `parse` reads.
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
    """Warn that `names`, if there are any, do not become clips.

    Args:
        reporter: Receives the warning.
        what: What the names are, in the plural, worded so that it gives the reason.
        names: Names of files, clips or actors.
        one: Singular of `what`, where it has one ("of 5 pictures" has none).
    """
    if names:
        reporter.warn(f"Left out {counted(len(names), one or what, what)}: {some(names)}.")


def tell_missing(reporter: Reporter, what: str, names: Sequence[str], *, one: str | None = None) -> None:
    """Warn that `names`, if there are any, belong to the data set but are missing; the arguments are those of
    `tell_left_out`.
    """
    if names:
        reporter.warn(f"Missing: {counted(len(names), one or what, what)}: {some(names)}.")


def is_empty(path: Path) -> bool:
    """Return whether the file has no content: zero bytes, or a link that leads nowhere."""
    return not path.is_file() or path.stat().st_size == 0


def plain(name: str) -> str:
    """Return `name` as an id, with `_` for every character but letters, digits and `_./-`."""
    return re.sub(r"[^\w./-]", "_", name)


def ranges(numbers: Iterable[int]) -> str:
    """Return the numbers as text with ranges: 1-3, 7."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
