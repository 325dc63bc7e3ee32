from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.face.motion_file import (
    COEFFICIENTS,
    NEWEST,
    VERTICES,
    read_any_motion,
    read_motion,
    write_motion,
)
from talkcli.engine.face.resample import resample
from talkcli.engine.types import SILENCE, Alignment, Motion, Phone, VertexMotion

MOTION = Motion(
    coeffs=np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32),
    fps=29.97,
    head="ada",
    channels=("a", "b", "ä"),
)


def stored(path: Path, **changes: Any) -> Path:
    """A motion file with fields changed, or left out where the change is None."""
    fields: dict[str, Any] = {
        "format": np.array(COEFFICIENTS),
        "coeffs": MOTION.coeffs,
        "fps": np.array(25.0),
        "head": np.array("ada"),
        "channels": np.array(MOTION.channels),
        "meta": np.array("{}"),
    }
    fields.update(changes)
    np.savez(path, allow_pickle=True, **{key: value for key, value in fields.items() if value is not None})
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    meta = {"seed": 3, "command": "animate", "sigma": None}
    write_motion(tmp_path / "new" / "a.npz", MOTION, meta)
    motion, read_meta = read_motion(tmp_path / "new" / "a.npz")
    np.testing.assert_array_equal(motion.coeffs, MOTION.coeffs)
    assert (motion.fps, motion.head, motion.channels) == (29.97, "ada", ("a", "b", "ä"))
    assert read_meta == meta
    assert motion.pose is None
    turning = replace(MOTION, pose=np.linspace(0, 1, 21, dtype=np.float32).reshape(7, 3))
    write_motion(tmp_path / "b.npz", turning)
    np.testing.assert_array_equal(read_motion(tmp_path / "b.npz")[0].pose, turning.pose)


@pytest.mark.parametrize("channels", [ADA, ADA + TONGUE])
def test_motion_of_ada_is_read_with_and_without_the_tongue(tmp_path: Path, channels: tuple[str, ...]) -> None:
    coeffs = np.random.default_rng(0).random((7, len(channels)), np.float32)
    write_motion(tmp_path / "a.npz", Motion(coeffs=coeffs, fps=25.0, head="ada", channels=channels))
    motion, _ = read_motion(tmp_path / "a.npz")
    assert (motion.channels, motion.space.width) == (channels, len(channels))
    np.testing.assert_array_equal(motion.coeffs, coeffs)
    half = resample(motion, 50.0)
    assert (half.channels, half.coeffs.shape) == (channels, (14, len(channels)))


def test_equal_motion_is_equal_bytes(tmp_path: Path) -> None:
    write_motion(tmp_path / "a.npz", MOTION, {"x": 1, "y": 2})
    write_motion(tmp_path / "b.npz", MOTION, {"y": 2, "x": 1})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": np.array(NEWEST + 1)}, f"format {NEWEST + 1}"),
        ({"channels": None}, "channels"),
        ({"pose": np.zeros((6, 3), np.float32)}, "fit"),
        ({"pose": np.full((7, 3), np.nan, np.float32)}, "not numbers"),
        ({"fps": None, "meta": None}, "fps, meta"),
        ({"channels": np.array(["a", "b"])}, "fit"),
        ({"coeffs": np.zeros(5, np.float32)}, "fit"),
        ({"coeffs": np.zeros((0, 3), np.float32)}, "no frames"),
        ({"coeffs": np.full((2, 3), np.nan, np.float32)}, "not numbers"),
        ({"coeffs": np.array([["x"] * 3])}, "fit together"),
        ({"fps": np.array(0.0)}, "fps"),
        ({"fps": np.array(1e-300)}, "fps"),
        ({"fps": np.array(-25.0)}, "fps"),
        ({"fps": np.array(np.nan)}, "fps"),
        ({"fps": np.array([25.0, 30.0])}, "fit together"),
        ({"meta": np.array("{")}, "fit together"),
        ({"coeffs": np.array([[object()] * 3], dtype=object)}, "numbers or text are needed"),
        ({"coeffs": np.zeros((2, 3), np.complex64)}, "numbers or text are needed"),
        ({"coeffs": np.zeros((2, 3), "datetime64[s]")}, "numbers or text are needed"),
        ({"coeffs": np.zeros((2, 3), bool)}, "must be numbers"),
        ({"coeffs": np.full((2, 3), 1e30)}, "it is no face"),
        ({"coeffs": np.full((2, 3), 1e300)}, "not numbers"),
        ({"coeffs": np.full((2, 3), -31.0)}, "a reaches 31, beyond"),
        ({"pose": np.full((7, 3), 100.0, np.float32)}, "head turns"),
        ({"format": np.array(0)}, "format is 0"),
        ({"format": np.array(-1)}, "format is -1"),
        ({"format": np.array(0.5)}, "format is 0.5"),
        ({"format": np.array(np.inf)}, "fit together"),
        ({"format": np.array("1")}, "fit together"),
        ({"fps": np.array("25")}, "fit together"),
        ({"fps": np.array(True)}, "fit together"),
        ({"fps": np.array(0.1), "coeffs": np.zeros((9000, 3))}, "more than a day"),
        ({"meta": np.array('{"a": NaN}')}, "NaN is not JSON"),
        ({"meta": np.array('{"a": 1e999}')}, "too large"),
        ({"meta": np.array('{"a":' * 900 + "1" + "}" * 900)}, "deep"),
        ({"meta": np.array("[" * 200_000)}, "deep"),
        ({"meta": np.array("[]")}, "no JSON object"),
        ({"meta": np.array('{"a": "' + "x" * 200_000 + '"}')}, "at most 100000"),
        ({"meta": np.array('{"a": "\\ud800"}')}, "surrogates"),
        ({"meta": np.array(3)}, "no single text"),
        ({"meta": np.array("x" * 2_000_000)}, "more than it can hold"),
        ({"head": np.array("a\ud800")}, "surrogates"),
        ({"head": np.array(["a", "b"])}, "no single text"),
        ({"head": np.array(b"ada")}, "no single text"),
        ({"head": np.array([0x110000], np.uint32).view("U1")[0:1].reshape(())}, "a.npz"),
        ({"channels": np.array(["a", "a", "b"])}, "distinct"),
        ({"channels": np.array(["a", "b", "\x1b[2J"])}, "distinct"),
        ({"channels": np.array(["a", "b", "c" * 100])}, "distinct"),
        ({"channels": np.array(["a", "b", "c" * 3_000_000])}, "more than it can hold"),
        ({"channels": np.array("abc")}, "no list of names"),
        ({"channels": np.array([1, 2, 3])}, "no list of names"),
        ({"coeffs": np.zeros((1 << 22, 20))}, "more than it can hold"),
    ],
)
def test_files_that_say_something_else_are_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_motion(stored(tmp_path / "a.npz", **changes))


def test_files_that_are_no_motion_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty.npz").touch()
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    for path in ("text.npz", "empty.npz", "array.npz", "absent.npz", "."):
        with pytest.raises(InputError):
            read_motion(tmp_path / path)


def test_phones_are_read_as_they_are_written_and_leave_other_files_as_they_were(tmp_path: Path) -> None:
    phones = (Phone(SILENCE, 0.0, 0.1), Phone("AA", 0.1, 0.2 + 1e-9), Phone("NG", 0.2 + 1e-9, 0.28))
    spoken = replace(MOTION, alignment=Alignment(phones, "slowed"))
    write_motion(tmp_path / "a.npz", spoken)
    assert read_motion(tmp_path / "a.npz")[0].alignment == spoken.alignment
    assert read_motion(stored(tmp_path / "b.npz"))[0].alignment is None
    write_motion(tmp_path / "c.npz", MOTION)
    with np.load(tmp_path / "c.npz") as file:
        assert not {"phones", "phone_times", "alignment"} & set(file.files)
    write_motion(tmp_path / "d.npz", replace(MOTION, alignment=Alignment((), "aligned")))
    assert read_motion(tmp_path / "d.npz")[0].alignment == Alignment((), "aligned")


@pytest.mark.parametrize(
    "changes",
    [
        {"phones": np.array([["AA"]])},
        {"phones": np.array([1])},
        {"phones": np.array(["a b"])},
        {"phone_times": None},
        {"phone_times": np.array([[0.0, 1.0], [1.0, 2.0]])},
        {"phone_times": np.array([[1.0, 0.5]])},
        {"phone_times": np.array([[-1.0, 0.5]])},
        {"phone_times": np.array([[0.0, np.nan]])},
        {"phone_times": np.array([[0.0, np.inf]])},
        {"phone_times": np.array([["0", "1"]])},
        {"alignment": np.array(3)},
        {"alignment": np.array("/" * 10)},
    ],
)
def test_phones_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    times = np.array([[0.0, 0.2]])
    fields = {"phones": np.array(["AA"]), "phone_times": times, "alignment": np.array("aligned")}
    read_motion(stored(tmp_path / "good.npz", **fields))
    with pytest.raises(InputError):
        read_motion(stored(tmp_path / "bad.npz", **{**fields, **changes}))


def test_damage_gives_motion_or_a_sentence(tmp_path: Path) -> None:
    write_motion(tmp_path / "a.npz", MOTION)
    whole = (tmp_path / "a.npz").read_bytes()
    chance = random.Random(0)
    for trial in range(150):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 3, 20])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        (tmp_path / "b.npz").write_bytes(
            content[: chance.randrange(len(content))] if trial % 5 == 0 else content
        )
        try:
            read_motion(tmp_path / "b.npz")
        except InputError:
            continue


VERTICES_OF = np.random.default_rng(0).normal(0, 0.01, (6, 5, 3)).astype(np.float32)
CUBE = VertexMotion(
    vertices=VERTICES_OF + np.linspace(0, 0.2, 15, dtype=np.float32).reshape(5, 3),
    neutral=np.linspace(0, 0.2, 15, dtype=np.float32).reshape(5, 3),
    fps=60.0,
    topology="mine",
)


def test_vertices_are_read_as_they_are_written(tmp_path: Path) -> None:
    faces = np.array([[0, 1, 2], [2, 3, 4]])
    for motion in (CUBE, replace(CUBE, faces=faces)):
        write_motion(tmp_path / "a.npz", motion, {"seed": 3})
        write_motion(tmp_path / "b.npz", motion, {"seed": 3})
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
        read, meta = read_any_motion(tmp_path / "a.npz")
        assert isinstance(read, VertexMotion)
        np.testing.assert_array_equal(read.vertices, motion.vertices)
        np.testing.assert_array_equal(read.neutral, motion.neutral)
        assert (read.fps, read.topology, meta) == (60.0, "mine", {"seed": 3})
        assert (read.faces is None) == (motion.faces is None)
    np.testing.assert_array_equal(read.faces, faces)
    with pytest.raises(InputError, match="coefficients of a head are needed"):
        read_motion(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"neutral": None}, "without neutral"),
        ({"vertices": np.zeros((6, 4, 3), np.float32)}, "fit"),
        ({"vertices": np.zeros((6, 15), np.float32)}, "fit"),
        ({"vertices": np.zeros((0, 5, 3), np.float32)}, "no frames"),
        ({"vertices": np.full((6, 5, 3), np.nan, np.float32)}, "not numbers"),
        ({"vertices": np.full((6, 5, 3), 7, np.float32)}, "more than half"),
        (
            {"neutral": np.zeros((0, 3), np.float32), "vertices": np.zeros((6, 0, 3), np.float32)},
            "no vertices",
        ),
        ({"faces": np.array([[0, 1, 5]])}, "beyond the 5"),
        ({"faces": np.array([[0, 1, -1]])}, "beyond the 5"),
        ({"faces": np.array([[0.0, 1.0, 2.0]])}, "whole numbers"),
        ({"faces": np.array([0, 1, 2])}, "faces"),
        ({"topology": np.array("../x")}, "no name"),
        ({"fps": np.array(0.0)}, "fps"),
        ({"format": np.array(1)}, "without coeffs, head, channels"),
    ],
)
def test_damaged_vertices_are_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    fields: dict[str, Any] = {
        "format": np.array(VERTICES),
        "vertices": CUBE.vertices,
        "neutral": CUBE.neutral,
        "fps": np.array(60.0),
        "topology": np.array("mine"),
        "meta": np.array("{}"),
    }
    fields |= changes
    np.savez(tmp_path / "a.npz", **{key: value for key, value in fields.items() if value is not None})
    with pytest.raises(InputError, match=words):
        read_any_motion(tmp_path / "a.npz")


def test_arrays_of_the_other_form_are_not_read(tmp_path: Path) -> None:
    objects = np.array([None], dtype=object)
    read, _ = read_any_motion(stored(tmp_path / "a.npz", vertices=objects, neutral=objects, faces=objects))
    assert isinstance(read, Motion)
    with pytest.raises(InputError, match="numbers or text are needed"):
        read_any_motion(stored(tmp_path / "b.npz", pose=objects))
