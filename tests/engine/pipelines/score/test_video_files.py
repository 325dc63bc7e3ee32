"""Videos are found by the clips' names."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.pipelines.score.video_files import film_of_each, videos_by_id


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_ids_are_paths_without_suffix(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "a.mp4",
        "s1/b.WEBM",
        "s1/c.take02.mkv",
        "s1/c.take01.mkv",
        "notes.txt",
        ".x/d.mp4",
        ".e.mp4",
    )
    found = videos_by_id(tmp_path)
    assert list(found) == ["a", "s1/b", "s1/c"]
    assert [path.name for path in found["s1/c"]] == ["c.take01.mkv", "c.take02.mkv"]


def test_a_name_alone_belongs_to_a_known_clip(tmp_path: Path) -> None:
    touch(tmp_path, "s1/a.mp4", "s1/b.avi", "s1/other.mov")
    found = videos_by_id(tmp_path, ["a", "s1/b", "c"])
    assert set(found) == {"a", "s1/b", "s1/other"}


def test_two_videos_of_a_clip_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "a.webm")
    with pytest.raises(InputError, match="both videos of the clip a"):
        videos_by_id(tmp_path)
    touch(tmp_path / "n", "s1/b.mp4", "s2/b.mp4")
    assert len(videos_by_id(tmp_path / "n")) == 2
    with pytest.raises(InputError, match="both videos of the clip b"):
        videos_by_id(tmp_path / "n", ["b"])


def test_no_videos_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no videos"):
        videos_by_id(touch(tmp_path, "a.npz"))
    with pytest.raises(InputError, match="does not exist"):
        videos_by_id(tmp_path / "absent.mp4")


def test_films_of_clips(tmp_path: Path) -> None:
    touch(tmp_path, "a.mpg", "b.mpg")
    assert film_of_each(tmp_path, ["b", "c"]) == {"b": tmp_path / "b.mpg"}
    assert film_of_each(tmp_path / "a.mpg", ["x"]) == {"x": tmp_path / "a.mpg"}
    with pytest.raises(InputError, match="no film of any of 1 clip"):
        film_of_each(tmp_path, ["z"])
