"""Limits of control groups, as Linux writes them, in files of our own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from talkcli.engine.pipelines.training.usable_memory import memory

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
# What version 1 writes where there is no limit.
NONE = 9223372036854771712


def limited(tmp_path: Path, own: str, limits: dict[str, str]) -> int:
    groups = tmp_path / "groups"
    for name, text in limits.items():
        (groups / name).parent.mkdir(parents=True, exist_ok=True)
        (groups / name).write_text(f"{text}\n")
    (tmp_path / "own").write_text(own)
    return memory(groups, tmp_path / "own")


@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "1000"}, 1000),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "2000"}, 2000),
        ("0::/a/b\n", {"a/b/memory.max": "3000", "a/memory.max": "2000", "memory.max": "max"}, 2000),
        # A container: its path is the host's, and the limit lies at the mount.
        ("0::/docker/1234\n", {"memory.max": "4000"}, 4000),
        ("0::/../../b\n", {"memory.max": "4000"}, 4000),
        ("0::/\n", {"memory.max": "5000"}, 5000),
        ("9:cpu:/x\n4:hugetlb,memory:/a\n", {"memory/a/memory.limit_in_bytes": "6000"}, 6000),
        ("4:memory:/a\n", {"memory/memory.limit_in_bytes": "7000"}, 7000),
        ("4:memory:/a\n", {"memory/a/memory.limit_in_bytes": str(NONE)}, MACHINE),
        # A group of others, and one that has nothing to do with memory.
        ("0::/a\n", {"b/memory.max": "1000"}, MACHINE),
        ("9:cpu:/x\n", {"memory/x/memory.limit_in_bytes": "1000"}, MACHINE),
        ("0::/a\n", {"a/memory.max": str(2 * MACHINE)}, MACHINE),
        ("0::/a\n", {"a/memory.max": "nonsense"}, MACHINE),
        ("", {}, MACHINE),
    ],
)
def test_the_smallest_limit_counts(tmp_path: Path, own: str, limits: dict[str, str], expected: int) -> None:
    assert limited(tmp_path, own, limits) == expected


def test_without_control_groups_it_is_the_machine_s(tmp_path: Path) -> None:
    assert memory(tmp_path / "none", tmp_path / "none") == MACHINE
    assert 0 < memory() <= MACHINE
