"""Which outputs can be written, by their names, and which are refused before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.exports.formats import (
    FORMATS,
    check_distinct,
    check_output,
    check_space,
    format_of,
    note_folders,
    split_suffix,
)
from talkcli.engine.face.channels import ADA, FLAME, TONGUE
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.types import MotionSpace
from tests.engine.fakes import Told


def test_outputs_are_checked_by_kind(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "v1.2").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    check_output(tmp_path / "new.mp4", shot=Shot())
    check_output(tmp_path / "new", shot=Shot(size=Size(63, 63)))
    check_output(tmp_path / "v1.2", shot=Shot())
    check_output(tmp_path / "full", shot=Shot(), overwrite=True)
    with pytest.raises(InputError, match="is a folder"):
        check_output(tmp_path / "folder.mp4", shot=Shot())
    with pytest.raises(UsageError, match="not empty"):
        check_output(tmp_path / "full", shot=Shot())


def test_an_output_is_named_once_and_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "ada").mkdir()
    check_distinct([tmp_path / "x.mp4", tmp_path / "x.npz", tmp_path / "ada"], [None, tmp_path / "ada"])
    with pytest.raises(UsageError, match="also read"):
        check_distinct([tmp_path / "ada" / ".." / "clip.mp4"], [tmp_path / "clip.mp4"])
    with pytest.raises(UsageError, match="twice"):
        check_distinct([tmp_path / "x.mp4", tmp_path / "ada" / ".." / "x.mp4"], [])


def test_the_format_is_that_of_the_suffix_in_either_case(tmp_path: Path) -> None:
    assert not format_of(Path("a.NPZ")).drawn
    video, frames = format_of(Path("a.Mp4")), format_of(Path("frames"))
    assert (video.drawn, video.sound, frames.drawn, frames.sound) == (True, True, True, False)
    (tmp_path / "v1.2").mkdir()
    assert format_of(tmp_path / "v1.2") == frames
    with pytest.raises(UsageError, match=r"\.npz files cannot be written"):
        format_of(Path("a.npz"), drawn=True)


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [
        ("a.json", "a", ".json"),
        ("a.rhubarb.json", "a", ".rhubarb.json"),
        ("A.Rhubarb.JSON", "A", ".Rhubarb.JSON"),
        ("a.b.json", "a.b", ".json"),
        ("rhubarb.json", "rhubarb", ".json"),
        (".rhubarb.json", ".rhubarb", ".json"),
        (".npz", ".npz", ""),
        ("a.flame.npz", "a", ".flame.npz"),
        ("a.avi", "a", ".avi"),
        ("a", "a", ""),
    ],
)
def test_the_longest_suffix_decides(name: str, stem: str, suffix: str) -> None:
    assert split_suffix(Path("out") / name) == (stem, suffix)
    if suffix.lower() in FORMATS:
        assert format_of(Path("out") / name) is FORMATS[suffix.lower()]


def test_a_format_refuses_motion_that_it_cannot_hold() -> None:
    ada, wider = MotionSpace("abe", ADA), MotionSpace("ada", ADA + TONGUE)
    flame, vertices = MotionSpace("flame", FLAME), MotionSpace("flame", num_verts=5023)
    curves, parameters, either = [Path("a.csv")], [Path("a.flame.npz")], [Path("a.npz"), Path("a.obj")]
    for space in (ada, wider, flame, vertices):
        check_space(either, space)
    check_space(curves, ada)
    check_space(curves, wider)
    check_space(parameters, flame)
    with pytest.raises(UsageError, match=r"\.csv files hold motion of ada, but this is motion of flame"):
        check_space(curves, flame)
    with pytest.raises(UsageError, match="motion of ada"):
        check_space(parameters, ada)
    with pytest.raises(UsageError, match="vertices of flame"):
        check_space(parameters, vertices)


def test_a_name_without_a_suffix_is_noted(tmp_path: Path) -> None:
    told = Told()
    (tmp_path / "there").mkdir()
    note_folders([tmp_path / "a.mp4", tmp_path / "there", tmp_path / "new"], told)
    assert [note for note in told.notes if "becomes a folder" in note] == told.notes
    assert len(told.notes) == 1
