"""Files of curves hold the motion's curves by name, and what reads them elsewhere reads these."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.exports.curves import arkit_of
from talkcli.engine.exports.formats import export
from talkcli.engine.exports.live_link import HEADER
from talkcli.engine.face.arkit import head_angles, head_pose
from talkcli.engine.face.channels import ADA, ARKIT, TONGUE
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.types import Motion, VertexMotion
from tests.engine.exports.pieces import ReadGlb, moving, of_flame, opening
from tests.khronos import issues, missing_validator


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def test_live_link_has_the_columns_of_a_recording(shared_data: Path) -> None:
    recordings = sorted((shared_data / "arkit_csv").glob("*.csv"))
    assert recordings
    for path in recordings:
        with path.open(newline="") as file:
            assert tuple(next(csv.reader(file))) == HEADER


def test_live_link_is_read_back_as_it_was(tmp_path: Path) -> None:
    piece = moving(60)
    assert isinstance(piece.motion, Motion)
    export(tmp_path / "face.csv", piece)
    take = read_take(tmp_path / "face.csv")
    expected = arkit_of(piece)
    read = arkit_of(replace(piece, motion=take.motion))
    for name in ARKIT:
        assert np.allclose(read[name], expected[name], atol=1e-6), name
    assert take.motion.pose is not None
    assert np.allclose(take.motion.pose, piece.motion.pose, atol=1e-5)


def test_either_spelling_of_the_count_is_read(tmp_path: Path) -> None:
    piece = moving(60)
    export(tmp_path / "face.csv", piece)
    text = (tmp_path / "face.csv").read_text()
    assert text.startswith("Timecode,BlendshapeCount,EyeBlinkLeft,")
    (tmp_path / "other.csv").write_text(text.replace("BlendshapeCount", "BlendShapeCount"))
    first, second = (read_take(tmp_path / name).motion for name in ("face.csv", "other.csv"))
    assert np.array_equal(first.coeffs, second.coeffs)


def test_live_link_names_columns_by_what_they_hold(tmp_path: Path) -> None:
    coeffs = np.zeros((30, len(ADA)), np.float32)
    moved = {
        "jawYaw": -0.07, "mouthLeft": 0.25, "eyeLookOutLeft": 0.5, "eyeLookDownLeft": 0.5,
        "eyeLookInRight": 1.0,
    }  # fmt: skip
    for name, value in moved.items():
        coeffs[1:, ADA.index(name)] = value
    piece = moving(30)
    export(tmp_path / "face.csv", replace(piece, motion=replace(piece.motion, coeffs=coeffs, pose=None)))
    header, rows = _rows(tmp_path / "face.csv")
    row = dict(zip(header, rows[1], strict=True))
    assert (row["Timecode"], row["BlendshapeCount"]) == ("00:00:00:01.000", "61")
    assert rows[25][0] == "00:00:01:00.000"
    held = {name: float(value) for name, value in list(row.items())[2:] if float(value)}
    assert held == pytest.approx(
        {
            "JawRight": 0.5, "MouthLeft": 0.25, "EyeLookOutLeft": 0.5, "EyeLookDownLeft": 0.5,
            "EyeLookInRight": 1.0, "LeftEyeYaw": -0.26, "LeftEyePitch": 0.26, "RightEyeYaw": -0.52,
        }
    )  # fmt: skip


def test_head_angles_undo_head_poses() -> None:
    drawn = np.random.default_rng(0)
    angles = [drawn.uniform(-1.5, 1.5, 50) for _ in range(3)]
    back = head_angles(head_pose(*angles))
    assert np.allclose(back, angles, atol=1e-5)


def test_a_rate_that_no_timecode_counts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has 12\.5") as refused:
        export(tmp_path / "face.csv", moving(60, 12.5))
    assert "`fps=60`" in str(refused.value.hint)
    assert not list(tmp_path.iterdir())


def test_arkit_json_and_audio2face_hold_the_curves_by_name(tmp_path: Path) -> None:
    piece = moving(10)
    export(tmp_path / "face.json", piece)
    export(tmp_path / "face.a2f.csv", piece)
    curves = arkit_of(piece)
    document = json.loads((tmp_path / "face.json").read_text())
    assert document["metadata"] == {
        "fps": 25.0, "frame_count": 10, "blendshape_names": document["names"], "made_by": {"command": "test"},
    }  # fmt: skip
    header, rows = _rows(tmp_path / "face.a2f.csv")
    assert header[:2] == ["", "timeCode"]
    assert [row[0] for row in rows] == [str(index) for index in range(10)]
    for name in ARKIT:
        weights = [frame["weights"][document["names"].index(name)] for frame in document["frames"]]
        column = header.index("blendShapes." + name[0].upper() + name[1:])
        assert np.allclose(weights, curves[name], atol=1e-6)
        assert np.allclose([float(row[column]) for row in rows], curves[name], atol=1e-6)
    rotation = np.array([frame["rotation"] for frame in document["frames"]]).T
    assert isinstance(piece.motion, Motion)
    assert np.allclose(head_pose(*rotation), piece.motion.pose, atol=1e-5)


def test_motion_with_a_tongue_shows_it(tmp_path: Path) -> None:
    piece = moving(5)
    assert isinstance(piece.motion, Motion)
    tongue = np.tile(np.float32([0.0, 1.0, 0.0]), (5, 1))
    coeffs = np.concatenate([piece.motion.coeffs, tongue], axis=1)
    coeffs[:, ADA.index("tongueOut")] = 0
    wider = replace(piece.motion, coeffs=coeffs, channels=ADA + TONGUE)
    export(tmp_path / "face.json", replace(piece, motion=wider))
    document = json.loads((tmp_path / "face.json").read_text())
    assert document["frames"][0]["weights"][document["names"].index("tongueOut")] == pytest.approx(0.65)


def test_flame_npz_has_the_arrays_of_diffposetalk(tmp_path: Path) -> None:
    piece = of_flame(12)
    assert isinstance(piece.motion, Motion)
    export(tmp_path / "face.flame.npz", piece)
    with np.load(tmp_path / "face.flame.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    assert {name: arrays[name].shape for name in ("shape", "exp", "pose")} == {
        "shape": (12, 100), "exp": (12, 50), "pose": (12, 6),
    }  # fmt: skip
    assert not arrays["shape"].any()
    assert np.array_equal(arrays["exp"], piece.motion.coeffs[:, :50])
    assert np.array_equal(arrays["pose"][:, :3], piece.motion.pose)
    assert np.array_equal(arrays["pose"][:, 3:], piece.motion.coeffs[:, 50:])
    assert (float(arrays["fps"]), int(arrays["layout_version"])) == (25.0, 1)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".vrma", ".rhubarb.json"])
def test_motion_of_another_head_has_no_curves(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="motion for ada"):
        export(tmp_path / f"face{suffix}", of_flame())
    rest = np.eye(3, dtype=np.float32)
    still = VertexMotion(vertices=rest[None], neutral=rest, fps=25.0, topology="flame")
    with pytest.raises(InputError, match="vertices of flame"):
        export(tmp_path / f"face{suffix}", replace(of_flame(), motion=still))
    assert not list(tmp_path.iterdir())


def test_vrma_holds_expressions_gaze_and_the_heads_turn(tmp_path: Path) -> None:
    piece = moving(20, 30.0)
    assert isinstance(piece.motion, Motion)
    meta = {"emotion": {"label": "calm", "level": 0.7}}
    export(tmp_path / "face.vrma", replace(piece, meta=meta))
    file, curves = ReadGlb(tmp_path / "face.vrma"), arkit_of(piece)
    extension = file.json["extensions"]["VRMC_vrm_animation"]
    assert (extension["specVersion"], file.json["extensionsUsed"]) == ("1.0", ["VRMC_vrm_animation"])
    assert set(extension["expressions"]["custom"]) == set(ARKIT)
    assert set(extension["expressions"]["preset"]) == {
        "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight", "relaxed",
    }  # fmt: skip
    for name in ARKIT:
        times, weights = file.expression("custom", name)
        assert np.allclose(times, np.arange(20) / 30, atol=1e-6)
        assert np.allclose(weights, curves[name], atol=1e-6)
    both, left, right = (file.expression("preset", name)[1] for name in ("blink", "blinkLeft", "blinkRight"))
    assert np.allclose(both + left, curves["eyeBlinkLeft"], atol=1e-6)
    assert np.allclose(both + right, curves["eyeBlinkRight"], atol=1e-6)
    assert not np.minimum(left, right).any()
    assert np.allclose(file.expression("preset", "relaxed")[1], 0.7)
    _, turns = file.track(extension["humanoid"]["humanBones"]["head"]["node"], "rotation")
    assert np.allclose(np.linalg.norm(turns, axis=1), 1, atol=1e-6)
    angle = np.linalg.norm(piece.motion.pose, axis=1)
    assert np.allclose(np.abs(turns[:, 3]), np.cos(angle / 2), atol=1e-6)
    needed = {"hips", "spine", "head", "leftUpperArm", "rightFoot"}
    assert needed < set(extension["humanoid"]["humanBones"])


@pytest.mark.skipif(missing_validator() is not None, reason=missing_validator() or "")
def test_the_validator_of_khronos_finds_nothing_in_a_vrma(tmp_path: Path) -> None:
    export(tmp_path / "face.vrma", moving(20))
    assert issues(tmp_path / "face.vrma") == []


def test_vrma_looks_where_the_eyes_look(tmp_path: Path) -> None:
    piece = opening(25.0, 1.0)
    assert isinstance(piece.motion, Motion)
    coeffs = piece.motion.coeffs.copy()
    for name in ("eyeLookOutLeft", "eyeLookInRight"):
        coeffs[:, ADA.index(name)] = 0.5
    export(tmp_path / "face.vrma", replace(piece, motion=replace(piece.motion, coeffs=coeffs)))
    file = ReadGlb(tmp_path / "face.vrma")
    _, turns = file.track(file.json["extensions"]["VRMC_vrm_animation"]["lookAt"]["node"], "rotation")
    # Half of 0.52 rad to the subject's left: a turn about y, which moves z towards x.
    assert np.allclose(turns[0], [0, np.sin(0.13), 0, np.cos(0.13)], atol=1e-6)
