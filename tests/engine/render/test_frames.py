"""A folder of pictures: complete or untouched, and never at the cost of the user's files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.render.frames import write_frames
from talkcli.engine.types import Silent


def _frames(count: int, value: int = 0) -> Iterator[np.ndarray]:
    for index in range(count):
        yield np.full((6, 8, 3), value + index, np.uint8)


def _write(folder: Path, frames: Iterator[np.ndarray], *, overwrite: bool = False) -> None:
    write_frames(folder, frames, num_frames=0, metadata={"seed": 3}, overwrite=overwrite, reporter=Silent())


def test_frames_are_numbered_lossless_and_say_what_made_them(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "frames"
    _write(folder, _frames(3, 40))
    assert sorted(path.name for path in folder.iterdir()) == [f"frame_{k:06d}.png" for k in range(3)]
    with Image.open(folder / "frame_000002.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), np.full((6, 8, 3), 42))
        assert json.loads(picture.info["comment"]) == {"seed": 3}
    assert [path.name for path in folder.parent.iterdir()] == ["frames"]


def test_an_empty_folder_is_used_and_a_full_one_refused(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    _write(tmp_path / "frames", _frames(1))
    with pytest.raises(UsageError, match="not empty"):
        _write(tmp_path / "frames", _frames(1))


def test_overwrite_replaces_frames_and_leaves_all_else(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    _write(folder, _frames(5))
    (folder / "notes.txt").write_text("mine")
    (folder / "frame_1.png").write_text("mine too")
    _write(folder, _frames(2, 100), overwrite=True)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["frame_000000.png", "frame_000001.png", "frame_1.png", "notes.txt"]
    with Image.open(folder / "frame_000001.png") as picture:
        assert picture.getpixel((0, 0)) == (101, 101, 101)


@pytest.mark.parametrize("existing", [False, True])
def test_a_failure_half_way_changes_nothing(tmp_path: Path, existing: bool) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield from _frames(2, 200)
        raise KeyboardInterrupt

    folder = tmp_path / "frames"
    if existing:
        _write(folder, _frames(3))
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*.png")}
    with pytest.raises(KeyboardInterrupt):
        _write(folder, failing(), overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*.png")} == before
    assert [path.name for path in tmp_path.iterdir()] == (["frames"] if existing else [])


def test_a_file_in_the_way_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "frames").write_text("a file")
    with pytest.raises(InputError, match="is a file"):
        _write(tmp_path / "frames", _frames(1), overwrite=True)
