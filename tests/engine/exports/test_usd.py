"""USD read back by Pixar's library: skinned by its own code, the mesh is the head; and nothing is late."""

from __future__ import annotations

import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from talkcli.engine.errors import AssetError, TalkError
from talkcli.engine.exports.formats import export
from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.rig.of_head import moved_rig
from talkcli.engine.face.channels import ADA, ARKIT, is_share
from talkcli.engine.face.topology import FaceMesh
from talkcli.engine.types import SPEECH_RATE_HZ, Motion, Silent, Speech, VertexMotion

pytest.importorskip("pxr")
from talkcli.engine.exports.usd.library import pxr

_FPS = 25.0


def motion(frames: int) -> Motion:
    """Slow waves in every channel, and a head that turns."""
    times = np.arange(frames)[:, None] / _FPS
    coeffs = 0.08 + 0.08 * np.sin(times * np.linspace(1, 4, len(ADA)) + np.arange(len(ADA)))
    coeffs[:, [not is_share(name) for name in ADA]] *= 0.3
    pose = 0.2 * np.sin(times * [1.0, 2.0, 3.0])
    return Motion(
        coeffs=coeffs.astype(np.float32), fps=_FPS, head="ada", channels=ADA, pose=pose.astype(np.float32)
    )


def piece(made: Any, **more: Any) -> Piece:
    return Piece(motion=made, meta={"seed": 3}, reporter=Silent(), **more)


def triangles() -> VertexMotion:
    drawn = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    faces = np.array([[0, 1, 2], [2, 3, 4]])
    return VertexMotion(vertices=drawn, neutral=drawn[0], fps=_FPS, topology="own", faces=faces)


def speech(seconds: float) -> Speech:
    return Speech(samples=np.linspace(-0.5, 0.5, round(seconds * SPEECH_RATE_HZ), dtype=np.float32))


@pytest.mark.parametrize("suffix", [".usdc", ".usdz"])
def test_pixars_skinning_gives_the_heads_vertices(suffix: str, tmp_path: Path) -> None:
    shown, out = piece(motion(24)), tmp_path / f"face{suffix}"
    export(out, shown)
    stage = pxr("Usd").Stage.Open(str(out))
    root = stage.GetDefaultPrim()
    skel, geometry = pxr("UsdSkel"), pxr("UsdGeom")
    assert skel.Root(root) and geometry.GetStageUpAxis(stage) == "Y"
    assert geometry.GetStageMetersPerUnit(stage) == 1.0
    mesh = next(geometry.Mesh(prim) for prim in stage.Traverse() if prim.IsA(geometry.Mesh))
    names = list(skel.BindingAPI(mesh).GetBlendShapesAttr().Get())
    assert set(ARKIT) <= set(names)
    surface = shown.surface()
    if suffix == ".usdz":
        # Files in a package cannot be changed, and baking writes. A layer has 24 frames a second unless told.
        stage.GetSessionLayer().timeCodesPerSecond = _FPS
        stage.SetEditTarget(stage.GetSessionLayer())
    assert skel.BakeSkinning(skel.Root(root), pxr("Gf").Interval(0, 24))
    for frame in (0, 7, 23):
        points = np.array(mesh.GetPointsAttr().Get(frame))
        apart_mm = 1000 * np.linalg.norm(points - surface.vertices(slice(frame, frame + 1))[0], axis=1)
        # What linear targets and their correctives miss.
        assert apart_mm.max() < 0.3 and np.sqrt((apart_mm**2).mean()) < 0.05


def test_weights_and_turns_are_those_of_the_rig(tmp_path: Path) -> None:
    shown = piece(motion(12))
    export(tmp_path / "a.usdc", shown)
    rig, moves = moved_rig(shown.surface(), ".usdc")
    stage = pxr("Usd").Stage.Open(str(tmp_path / "a.usdc"))
    animation = pxr("UsdSkel").Animation.Get(stage, "/head/animation")
    assert list(animation.GetBlendShapesAttr().Get()) == [target.name for target in rig.targets]
    weights = animation.GetBlendShapeWeightsAttr()
    assert weights.GetTimeSamples() == list(range(12))
    for frame in range(12):
        np.testing.assert_array_equal(np.array(weights.Get(frame)), moves.weights[frame])
    joints = [path.rpartition("/")[2] for path in animation.GetJointsAttr().Get()]
    assert joints == ["neck", "head", "jaw", "leftEye", "rightEye"]
    for joint, turns in moves.turns.items():
        turn = animation.GetRotationsAttr().Get(5)[joint]
        np.testing.assert_allclose([turn.GetReal(), *turn.GetImaginary()], turns[5], atol=1e-6)


def test_a_minute_keeps_its_time_and_its_sound(tmp_path: Path) -> None:
    whole = motion(1500)
    few = np.zeros_like(whole.coeffs)
    few[-1, ADA.index("eyeBlinkLeft")] = 1.0
    made = Motion(coeffs=few, fps=_FPS, head="ada", channels=ADA)
    export(tmp_path / "a.usdz", piece(made, speech=speech(60.0)))
    stage = pxr("Usd").Stage.Open(str(tmp_path / "a.usdz"))
    assert (stage.GetTimeCodesPerSecond(), stage.GetStartTimeCode()) == (_FPS, 0)
    animation = pxr("UsdSkel").Animation.Get(stage, "/head/animation")
    at = list(animation.GetBlendShapesAttr().Get()).index("eyeBlinkLeft")
    last_s = stage.GetEndTimeCode() / stage.GetTimeCodesPerSecond()
    assert abs(last_s - (60 - 1 / _FPS)) < 1e-9
    assert animation.GetBlendShapeWeightsAttr().Get(stage.GetEndTimeCode())[at] == pytest.approx(1.0)
    sound = pxr("UsdMedia").SpatialAudio.Get(stage, "/head/sound")
    assert sound.GetStartTimeAttr().Get() == pxr("Sdf").TimeCode(0)
    with zipfile.ZipFile(tmp_path / "a.usdz") as package:
        name = sound.GetFilePathAttr().Get().path.removeprefix("./")
        assert name in package.namelist() and package.namelist()[0].endswith(".usdc")
        # The specification: nothing is compressed.
        assert {item.compress_type for item in package.infolist()} == {zipfile.ZIP_STORED}
        (tmp_path / "back.wav").write_bytes(package.read(name))
    samples, rate_hz = soundfile.read(tmp_path / "back.wav")
    assert len(samples) / rate_hz == 60.0
    np.testing.assert_allclose(samples, speech(60.0).samples, atol=1e-4)


def test_the_sound_of_a_plain_file_lies_beside_it(tmp_path: Path) -> None:
    export(tmp_path / "b.usda", piece(triangles(), speech=speech(0.2)))
    assert "@./b.wav@" in (tmp_path / "b.usda").read_text()
    assert soundfile.info(tmp_path / "b.wav").frames == 3200


def test_vertices_are_points_at_every_frame(tmp_path: Path) -> None:
    made = triangles()
    drawn, faces = made.vertices, made.faces
    export(tmp_path / "v.usd", piece(made))
    stage = pxr("Usd").Stage.Open(str(tmp_path / "v.usd"))
    mesh = pxr("UsdGeom").Mesh.Get(stage, "/head/mesh")
    np.testing.assert_array_equal(np.array(mesh.GetFaceVertexIndicesAttr().Get()), np.ravel(faces))
    for frame in range(4):
        np.testing.assert_array_equal(np.array(mesh.GetPointsAttr().Get(frame)), drawn[frame])
    bare = VertexMotion(vertices=drawn, neutral=drawn[0], fps=_FPS, topology="own")
    topology = FaceMesh(name="own", template=drawn[0])
    with pytest.raises(AssetError, match="triangles"):
        export(tmp_path / "w.usdc", piece(bare, topology=topology))
    assert not (tmp_path / "w.usdc").exists()


@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usdz"])
def test_a_full_disk_is_one_sentence(suffix: str, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(TalkError, match=rf"USD could not .*full{suffix}"):
            export(tmp_path / f"full{suffix}", piece(triangles()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_the_library_prints_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.engine.exports.test_usd import *;"
        "export(Path(sys.argv[1]), piece(triangles(), speech=speech(0.2)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "q.usdz"],
        cwd=Path(__file__).resolve().parents[3], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
