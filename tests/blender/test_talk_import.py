"""The script for Blender, run by Blender's own Python module: what the saved scene holds is what the file
holds. `make bpy` installs the two versions.
"""

from __future__ import annotations

import csv
import json
import os
import runpy
import subprocess
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.assets import BLENDER_SCRIPT
from talkcli.engine.audio.io import write_wav
from talkcli.engine.exports.formats import export
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.channels import ADA, is_share
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.readers.timecode import timecode
from talkcli.engine.types import SPEECH_RATE_HZ, Motion, Silent, Speech

ROOT = Path(__file__).resolve().parents[2]
# The scene has 30 frames a second, the motion 25; the curves begin at frame 5.
_FRAMES, _FPS, _SCENE_FPS, _START = 50, 25.0, 30, 5
# Shape keys of the scene and the curve that each must get.
_MEANT = {
    "jawOpen": "jawOpen", "blendShape1.MouthClose": "mouthClose", "eyeBlink_L": "eyeBlinkLeft",
    "Eye Blink Right": "eyeBlinkRight", "mouthSmile.L": "mouthSmileLeft",
}  # fmt: skip


def made(folder: Path) -> Motion:
    drawn = np.random.default_rng(0).uniform(0, 0.4, (_FRAMES, len(ADA))).astype(np.float32)
    drawn[:, [not is_share(name) for name in ADA]] *= 0.5
    motion = Motion(coeffs=drawn, fps=_FPS, head="ada", channels=ADA)
    write_motion(folder / "f.npz", motion, {})
    for name in ("f.json", "f.csv", "f.a2f.csv"):
        export(folder / name, Piece(motion=motion, meta={}, reporter=Silent()))
    write_wav(folder / "s.wav", Speech(samples=np.zeros(2 * SPEECH_RATE_HZ, np.float32)))
    return motion


def curves_of_json(path: Path) -> dict[str, np.ndarray]:
    document = json.loads(path.read_text())
    values = np.array([frame["weights"] for frame in document["frames"]])
    return dict(zip(document["names"], values.T, strict=True))


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("name", ["f.json", "f.csv", "f.a2f.csv", "f.npz"])
def test_the_scene_holds_what_the_file_holds(version: int, name: str, tmp_path: Path) -> None:
    module = ROOT / ".bpy" / str(version)
    if not module.exists():
        pytest.skip(f"no Blender {version} (make bpy installs it)")
    made(tmp_path)
    reader = Path(__file__).with_name("read_back.py")
    ran = subprocess.run(
        [sys.executable, reader, BLENDER_SCRIPT, name, "s.wav", str(_START)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(module)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads((tmp_path / "found.json").read_text())
    assert found["version"][0] == version
    wanted, frames = curves_of_json(tmp_path / "f.json"), _START + np.arange(_FRAMES) / _FPS * _SCENE_FPS
    face = found["meshes"]["Face"]
    shown = face.pop("shown")
    assert set(face) == {f'key_blocks["{key}"].value' for key in _MEANT}
    for key, curve in _MEANT.items():
        times, values = np.array(face[f'key_blocks["{key}"].value']).T
        np.testing.assert_allclose(times, frames, atol=1e-4)
        np.testing.assert_allclose(values, wanted[curve], atol=2e-6)
        # Twelve frames of the scene are ten of the motion.
        assert shown[key] == pytest.approx(wanted[curve][10], abs=2e-6)
    assert set(found["meshes"]["Teeth"]) == {'key_blocks["JawOpen"].value', "shown"}
    assert found["strips"] == [["SOUND", _START, 2 * _SCENE_FPS, str(tmp_path / "s.wav")]]


def test_the_rate_of_a_timecode_is_that_of_its_frames(tmp_path: Path) -> None:
    """What the test above relies on: the CSV says its rate by its timecodes alone."""
    made(tmp_path)
    rows = list(csv.reader((tmp_path / "f.csv").read_text().splitlines()))[1:]
    assert [row[0][9:11] for row in rows[24:26]] == ["24", "00"]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the script defines, without Blender: its readers need none."""
    monkeypatch.setitem(sys.modules, "bpy", types.ModuleType("bpy"))
    return runpy.run_path(str(BLENDER_SCRIPT))


def csv_of(folder: Path, stamps: list[str]) -> Path:
    rows = [["Timecode", "BlendShapeCount", "jawOpen"], *([stamp, "1", "0.5"] for stamp in stamps)]
    path = folder / "t.csv"
    path.write_text("\n".join(map(",".join, rows)))
    return path


@pytest.mark.parametrize("rate", [30, 60])
@pytest.mark.parametrize("fps", [None, "named"])
def test_drop_frame_timecode_keeps_time_over_minutes(
    rate: int, fps: str | None, script: dict[str, Any], tmp_path: Path
) -> None:
    # From 59 s on, over the first minute and the tenth, which drops nothing.
    frames = np.arange(59 * rate, 605 * rate, 7)
    stamps = [timecode(int(frame), rate / 1.001) for frame in frames]
    assert timecode(60 * rate, rate / 1.001) == f"00:01:00;{rate // 15:02d}"
    named = None if fps is None else round(rate / 1.001, 2)
    times = script["read_curves"](csv_of(tmp_path, stamps), named).times_s
    np.testing.assert_allclose(times, (frames - frames[0]) * 1001 / (1000 * rate), atol=1e-9)


@pytest.mark.parametrize(
    ("stamps", "fps", "words"),
    [
        (["00:00:00:00", "00:00:00:01"], None, "add --fps"),
        (["00:00:00:00", "00:00:00:01"], 0.0, "above 0"),
        (["00:00:00:00", "00:00:00:01"], float("nan"), "above 0"),
        (["00:00:00;00", "00:00:01:00"], None, "mixes"),
        (["00:00:00;00", "00:00:01;00"], 25.0, "only 30, 60 and 120"),
        (["0.0", "nan"], None, "no finite"),
        (["0.0", "1" * 200_000], None, "field larger"),
    ],
)
def test_times_that_cannot_be_read_are_one_sentence(
    stamps: list[str], fps: float | None, words: str, script: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(script["ImportProblemError"], match=words):
        script["read_curves"](csv_of(tmp_path, stamps), fps)


def test_damaged_files_are_one_sentence(script: dict[str, Any], tmp_path: Path) -> None:
    made(tmp_path)
    whole = (tmp_path / "f.npz").read_bytes()
    damaged = {
        "cut.npz": whole[: len(whole) // 2],
        "head.npz": whole[:40],
        "empty.npz": b"",
        "deep.json": b"[" * 100_000,
        "list.json": b"[]",
        "bytes.csv": b"\xff\xfe\x00",
        "empty.csv": b"",
    }
    with zipfile.ZipFile(tmp_path / "still.npz", "w") as still, np.load(tmp_path / "f.npz") as file:
        for name in file.files:
            with still.open(f"{name}.npy", "w") as entry:
                np.lib.format.write_array(entry, np.array(0.0) if name == "fps" else file[name])
    damaged["still.npz"] = (tmp_path / "still.npz").read_bytes()
    for name, data in damaged.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(script["ImportProblemError"], match=name):
            script["read_curves"](tmp_path / name)
