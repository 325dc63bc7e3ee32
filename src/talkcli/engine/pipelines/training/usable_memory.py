"""How much memory this process may use: the machine's, or what a container or a batch system leaves it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def memory(mounted: Path = CGROUPS, own: Path = OWN_GROUPS) -> int:
    """Return bytes of memory of this machine, or the smallest limit on them of this process's control groups.

    `mounted` is where Linux mounts control groups, `own` the file that names those of this process. Where
    they are not there (other systems), or cannot be read, no limit is known, and that is no error.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits(mounted, own)])


def _limits(mounted: Path, own: Path) -> Iterator[int]:
    """Yield every limit in bytes: a group's memory is bounded by those of all groups above it too."""
    for folder, name in _groups(mounted, own):
        try:
            text = (folder / name).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        # Version 2 says "max" where there is no limit; version 1 gives a number beyond any machine's memory.
        if text.isdecimal() and int(text) > 0:
            yield int(text)


def _groups(mounted: Path, own: Path) -> Iterator[tuple[Path, str]]:
    """Yield folders of this process's groups, from the innermost to the mount, with the name of their
    file.
    """
    try:
        lines = own.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        lines = []
    # Lines are ID:CONTROLLERS:PATH; version 2 names no controllers.
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            base, name = mounted, "memory.max"
        elif "memory" in controllers.split(","):
            base, name = mounted / "memory", "memory.limit_in_bytes"
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        # In a container the path may be the host's, which is not there: the mount itself is then its group.
        for part in (inner, *inner.parents):
            if ".." not in part.parts:
                yield base / part, name
