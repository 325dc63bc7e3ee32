"""Memory that this process may use: the machine's, or the limit of a container or a batch system."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# Folder in which Linux mounts control groups, and file that names those of this process.
CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def memory(mounted: Path = CGROUPS, own: Path = OWN_GROUPS) -> int:
    """Return the memory of this machine in bytes, or the smallest limit of this process's control groups.

    A missing or unreadable file (on other systems, for example) counts as no limit.

    Args:
        mounted: Folder in which Linux mounts control groups.
        own: File that names the control groups of this process.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits(mounted, own)])


def _limits(mounted: Path, own: Path) -> Iterator[int]:
    """Yield every limit in bytes; the limits of all groups above a group bind it, too."""
    for folder, name in _groups(mounted, own):
        try:
            text = (folder / name).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        # Without a limit, version 2 has "max", and version 1 a number beyond any machine's memory.
        if text.isdecimal() and int(text) > 0:
            yield int(text)


def _groups(mounted: Path, own: Path) -> Iterator[tuple[Path, str]]:
    """Yield the folders of this process's groups, from the innermost to the mount, and their file's name."""
    try:
        lines = own.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        lines = []
    # The lines have the form ID:CONTROLLERS:PATH; version 2 names no controllers.
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
        # In a container the path may be that of the host, which is missing here: then the mount is the group.
        for part in (inner, *inner.parents):
            if ".." not in part.parts:
                yield base / part, name
