"""`talk retarget` and `talk rig`, from the outside."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from talkcli.app import main
from talkcli.engine.face.channels import ADA, ARKIT
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_motion, write_motion
from talkcli.engine.face.rig_file import read_rig, write_rig
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.types import Motion
from tests.engine.face.open_mesh import open_mesh, write_obj

Talk = Callable[..., int]
FRAMES = 12


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Run a command in a folder with a motion of ada, m.npz, whose jaw opens."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    coeffs = np.zeros((FRAMES, len(ADA)), np.float32)
    coeffs[:, ADA.index("jawPitch")] = np.linspace(0, 0.21, FRAMES)
    coeffs[-1, ADA.index("lipSeal")] = 1.0
    write_motion(tmp_path / "m.npz", Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA))

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["talk", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


def test_arkit_as_motion_and_as_other_formats(
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = ["--out", "a.npz", "--out", "a.csv", "--out", "a.json"]
    assert talk("retarget", "m.npz", "--to", "arkit", *outs, "--json") == 0
    report = told(capsys)
    assert report["outputs"] == ["a.npz", "a.csv", "a.json"]
    assert report["how"] == "names"
    motion, meta = read_motion(tmp_path / "a.npz")
    assert (motion.head, motion.channels) == ("arkit", ARKIT)
    assert motion.coeffs[-2, ARKIT.index("jawOpen")] == pytest.approx(0.5 * 10 / 11, rel=1e-5)
    assert meta["kept"]["closures"]["total"] > 0
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert float(rows[-1]["JawOpen"]) == pytest.approx(0.5, abs=1e-5)
    # What was written is a source again.
    assert talk("retarget", "a.npz", "--to", "ada", "--out", "b.npz", "--quiet") == 0
    back, _ = read_motion(tmp_path / "b.npz")
    assert back.coeffs[-1, ADA.index("jawPitch")] == pytest.approx(0.21, rel=1e-4)


def test_a_mapping_is_used_as_it_is(talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "map.csv").write_text(
        "# source: a test\ntarget,source,weight\nCTRL_C_jaw.ty,jawOpen,-2\nCTRL_C_jaw.tx,jawLeft,1\n"
    )
    write_motion(
        tmp_path / "w.npz",
        Motion(
            coeffs=np.array([[1.5, 0.25]], np.float32),
            fps=30.0,
            head="arkit",
            channels=("jawOpen", "jawLeft"),
        ),
    )
    assert (
        talk("retarget", "w.npz", "--mapping", "map.csv", "--out", "c.csv", "--out", "c.npz", "--json") == 0
    )
    assert told(capsys)["mapping_source"] == "a test"
    assert (tmp_path / "c.csv").read_text() == (
        "time_s,CTRL_C_jaw.ty,CTRL_C_jaw.tx\n0.000000,-3.000000,0.250000\n"
    )
    assert read_motion(tmp_path / "c.npz")[0].channels == ("CTRL_C_jaw.ty", "CTRL_C_jaw.tx")


def test_a_rig_without_landmarks_says_so(
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vertices, _ = open_mesh(12, 12)
    deltas = np.zeros((2, len(vertices), 3), np.float32)
    deltas[:, 5] = 0.01
    rig = ShapeRig(
        name="r", channels=("JawOpen", "blendShape1.mouthSmile_L"), template=vertices, deltas=deltas
    )
    write_rig(tmp_path / "r.npz", rig)
    assert talk("retarget", "m.npz", "--to", "r.npz", "--out", "o.npz") == 0
    assert "closures are not looked after. Give --landmarks." in capsys.readouterr().err.replace("\n", " ")
    motion, _ = read_motion(tmp_path / "o.npz")
    assert motion.coeffs[-1, 0] == pytest.approx(0.5, rel=1e-4)
    assert talk("render", "o.npz", "--head", "ada", "--out", "x.mp4") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["m.npz", "--out", "a.npz"], 2, "--to is missing"),
        (["m.npz", "--to", "arkit"], 2, "--out is missing"),
        (["m.npz", "--to", "nobody", "--out", "a.npz"], 2, "no head called nobody"),
        (["m.npz", "--to", "arkit", "--out", "m.npz"], 2, "is also read"),
        (["m.npz", "--to", "arkit", "--out", "a.mp4"], 2, "--out a.mp4"),
        (["m.npz", "--to", "ada", "--landmarks", "x.csv", "--out", "a.npz"], 2, "landmarks of its own"),
        (["m.npz", "--to", "arkit", "--out", "a.npz", "--write-mapping", "m.txt"], 2, "--write-mapping"),
        (["none.npz", "--to", "arkit", "--out", "a.npz"], 3, "none.npz"),
    ],
)
def test_what_cannot_be(
    talk: Talk, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert talk("retarget", *arguments) == code
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert not Path("a.npz").exists()


def test_a_mesh_becomes_a_rig_that_takes_motion(
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = load_head("bust")
    kept = np.isin(head.part_of_face, [head.parts.index(name) for name in ("skin", "lips", "mouth")])
    used, faces = np.unique(head.faces[kept], return_inverse=True)
    write_obj(tmp_path / "h.obj", head.template[used], faces.reshape(-1, 3))
    marks = np.searchsorted(used, head.landmark_vertices)  # type: ignore[attr-defined]
    (tmp_path / "marks.json").write_text(json.dumps(marks.tolist()))
    outs = ["--out", "h.glb", "--out", "h.npz", "--no-add"]
    assert talk("rig", "h.obj", "--landmarks", "marks.json", *outs, "--json") == 0
    report = told(capsys)
    assert report["landmarks"] == "given"
    assert report["unit"] == "m"
    assert isinstance(report["lips_mm"], float)
    assert report["lips_mm"] < 0.2
    assert read_rig(tmp_path / "h.npz").channels == ARKIT
    # The GLB carries the landmarks, so that motion is fitted to them.
    assert talk("retarget", "m.npz", "--to", "h.glb", "--out", "o.npz", "--json") == 0
    found = told(capsys)
    assert found["how"] == "landmarks beside names"
    assert isinstance(found["kept"], dict)
    assert found["kept"]["closures"]["count"] == found["kept"]["closures"]["total"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["h.stl", "--out", "a.glb"], 2, "no mesh"),
        (["h.obj", "--out", "a.fbx"], 2, "--out a.fbx"),
        (["h.obj", "--out", "a.glb", "--contact-sheet", "a.jpg"], 2, "--contact-sheet"),
        (["h.obj", "--out", "a.glb", "--landmarks", "none.json"], 3, "none.json"),
    ],
)
def test_what_cannot_be_rigged(
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    write_obj(tmp_path / "h.obj", *open_mesh(12, 12))
    assert talk("rig", *arguments) == code
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert not Path("a.glb").exists()
