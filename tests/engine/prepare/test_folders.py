from __future__ import annotations

import os
from pathlib import Path

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.prepare.names import files_below


def lay(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in files_below(root, (".wav",))]


def test_linked_folders_and_files_are_read(tmp_path: Path) -> None:
    root, disk = tmp_path / "root", tmp_path / "disk"
    lay(root / "a" / "1.wav", disk / "b" / "c" / "2.wav", disk / "3.wav")
    (root / "b").symlink_to(disk / "b")
    (root / "3.wav").symlink_to(disk / "3.wav")
    assert found(root) == ["3.wav", "a/1.wav", "b/c/2.wav"]
    (tmp_path / "link").symlink_to(root)
    assert found(tmp_path / "link") == found(root)


def test_loops_end_and_links_that_lead_up_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    lay(tmp_path / "beside.wav", root / "a" / "1.wav", root / "b" / "2.wav")
    for place, target in (("self", root), ("a/up", tmp_path), ("a/b", root / "b"), ("b/a", root / "a")):
        (root / place).symlink_to(target)
    (root / "nowhere").symlink_to(tmp_path / "missing")
    assert found(root) == ["a/1.wav", "b/2.wav"]


def test_a_folder_with_several_links_is_read_once(tmp_path: Path) -> None:
    root, disk = tmp_path / "root", tmp_path / "disk"
    lay(disk / "part" / "1.wav", disk / "2.wav")
    root.mkdir()
    # Whichever comes first; and the whole has what the part has not.
    for name, target in (("x", disk / "part"), ("y", disk), ("z", disk / "part")):
        (root / name).symlink_to(target)
    assert found(root) == ["x/1.wav", "y/2.wav"]


def test_hidden_folders_are_left_out_but_not_the_root(tmp_path: Path) -> None:
    root = tmp_path / ".cache" / "root"
    lay(root / ".git" / "1.wav", root / "a" / "2.wav", root / "a" / "._2.wav")
    assert found(root) == ["a/2.wav"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    with pytest.raises(InputError, match="locked cannot be read"):
        files_below(tmp_path, (".wav",))
