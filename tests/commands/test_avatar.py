"""Avatars from the outside: `talk head`, `talk render` and `talk export` with files of the user's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from talkcli.app import main
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.types import Motion
from tests.engine.face.avatar.samples import ARKIT_FEW, array, evaluated, face, split


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["talk", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def motion(tmp_path: Path) -> Path:
    coeffs = np.random.default_rng(0).uniform(0, 0.5, (3, len(ADA))).astype(np.float32)
    pose = np.full((3, 3), 0.1, np.float32)
    write_motion(tmp_path / "m.npz", Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA, pose=pose), {})
    return tmp_path / "m.npz"


def test_head_shows_what_an_avatar_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = face((*ARKIT_FEW, "Fcl_HA_Fung1")).write(tmp_path / "a.glb")
    assert _run(monkeypatch, "head", path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["mapped"]) == set(ARKIT_FEW)
    assert found["bones"] == {"head": "Head", "neck": "Neck", "leftEye": "LeftEye", "rightEye": "RightEye"}
    assert _run(monkeypatch, "head", path) == 0
    told = capsys.readouterr()
    assert "jawOpen" in told.out and "bone leftEye" in told.out and "Fcl_HA_Fung1" in told.err
    assert _run(monkeypatch, "head", path, "--set", "age=60") == 2
    assert "--head" in capsys.readouterr().err


def test_export_animates_the_file_and_render_draws_it(
    tmp_path: Path, motion: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = face(ARKIT_FEW).write(tmp_path / "a.glb")
    out = tmp_path / "talking.glb"
    assert _run(monkeypatch, "export", motion, "--head", path, "--out", out, "--json") == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["outputs"] == [str(out)] and "6 shapes of ARKit's 52" in told.err
    content, binary = split(out)
    animation = content["animations"][0]
    times = array(content, binary, animation["samplers"][0]["input"])[:, 0]
    np.testing.assert_allclose(times, [0, 0.04, 0.08], atol=1e-6)
    assert np.ptp([evaluated(out, frame)[0] for frame in range(3)], axis=0).max() > 1e-3
    frames = tmp_path / "frames"
    assert _run(monkeypatch, "render", motion, "--head", path, "--out", frames, "--size", 64) == 0
    assert len(list(frames.glob("*.png"))) == 3


def test_an_avatar_is_no_output_of_another_head(
    tmp_path: Path, motion: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = face(ARKIT_FEW).write(tmp_path / "a.glb")
    assert _run(monkeypatch, "export", motion, "--head", path, "--out", path) == 2
    assert "also read" in capsys.readouterr().err
    assert _run(monkeypatch, "export", motion, "--head", path, "--out", tmp_path / "a.vrm") == 2
    assert "is no VRM" in capsys.readouterr().err
    assert not (tmp_path / "a.vrm").exists()


def test_an_avatar_without_a_face_is_bad_input(
    tmp_path: Path, motion: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = face(("Fcl_HA_Fung1",), eyes=False).write(tmp_path / "a.glb")
    assert _run(monkeypatch, "render", motion, "--head", path, "--out", tmp_path / "o.mp4") == 3
    assert "Fcl_HA_Fung1" in capsys.readouterr().err
