"""The script for Blender, run by Blender's own Python module: what the saved scene holds is what the file
holds. `make bpy` installs the two versions.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
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
    rows = list(csv.reader((tmp_path / "f.csv").open()))[1:]
    assert [row[0][9:11] for row in rows[24:26]] == ["24", "00"]
