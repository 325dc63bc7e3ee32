"""A walk through folders that follows links, because large data sets are often linked from elsewhere."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from talkcli.engine.errors import InputError
from talkcli.engine.files import real_path


def folders_below(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield `root` and the folders below it, each with the names of its files; hidden folders are left out.

    The walk follows links, except those to a folder above them. It reads each folder once: in its own place,
    or through the first link to it. Raises InputError for a folder that cannot be read.
    """
    waiting = deque([root])
    read: set[Path] = set()
    while waiting:
        place = waiting.popleft()
        real = real_path(place)
        if not read.isdisjoint((real, *real.parents)) or _leads_up(place, real, root):
            continue
        read.add(real)
        for name, below, files in os.walk(place, onerror=_unreadable):
            folder = Path(name)
            there = real / folder.relative_to(place)
            below[:] = sorted(name for name in below if name[0] != "." and there / name not in read)
            waiting += [folder / name for name in below if (folder / name).is_symlink()]
            yield folder, files


def _leads_up(place: Path, real: Path, root: Path) -> bool:
    above = real_path(place.parent)
    return place != root and (real == above or real in above.parents)


def _unreadable(error: OSError) -> None:
    raise InputError(f"The folder {error.filename} cannot be read ({error.strerror}).") from error
