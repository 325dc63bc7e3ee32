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
from talkcli.engine.types import Motion, VertexMotion
from tests.engine.face.open_mesh import open_mesh, write_obj
from tests.engine.prepare.adapters.live_link_tables import save, table
from tests.engine.retarget.linear_abe import linear_abe

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


def test_a_rig_is_a_source_by_its_own_shapes(talk: Talk, tmp_path: Path) -> None:
    # Shapes of half the strength need twice the weights, and names of ARKit do not say so.
    write_rig(tmp_path / "r.npz", linear_abe(strength=0.5))
    assert talk("retarget", "m.npz", "--to", "r.npz", "--out", "o.npz", "--quiet") == 0
    moved, _ = read_motion(tmp_path / "o.npz")
    assert (moved.head, moved.channels) == ("r.npz", ARKIT)
    assert moved.coeffs[-2, ARKIT.index("jawOpen")] > 0.8
    for more in ([], ["--head", "r.npz"]):
        assert talk("retarget", "o.npz", "--to", "ada", "--out", "b.npz", "--quiet", *more) == 0
        back, _ = read_motion(tmp_path / "b.npz")
        assert back.coeffs[-2, ADA.index("jawPitch")] == pytest.approx(0.21 * 10 / 11, rel=0.15)
    rig = linear_abe()
    rig.landmark_vertices = None
    write_rig(tmp_path / "r.npz", rig)
    assert talk("retarget", "o.npz", "--to", "ada", "--out", "c.npz") == 3


@pytest.mark.parametrize("source", ["m.npz", "take.csv"])
def test_a_mapping_from_names_of_arkit_takes_motion_of_ada(talk: Talk, tmp_path: Path, source: str) -> None:
    save(tmp_path / "take.csv", table())
    (tmp_path / "map.csv").write_text("target,source,weight\nmouth_open,jawOpen,2\n")
    assert talk("retarget", source, "--mapping", "map.csv", "--out", "c.npz", "--quiet") == 0
    if source == "m.npz":
        assert read_motion(tmp_path / "c.npz")[0].coeffs[-1] == pytest.approx(1.0, rel=1e-5)


def test_a_recording_that_is_cut_says_so(
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = table()
    save(tmp_path / "take.csv", [rows[0], *rows[1:40], *rows[81:]])
    (tmp_path / "map.csv").write_text("target,source,weight\nmouth_open,jawOpen,1\n")
    assert talk("retarget", "take.csv", "--mapping", "map.csv", "--out", "a.npz", "--json") == 0
    shown = capsys.readouterr()
    assert "the longest stretch of 2" in shown.err.replace("\n", " ")
    report = json.loads(shown.out)
    assert report["start_s"] == pytest.approx(80 / 60, abs=0.02)
    assert report["whole_s"] == pytest.approx(3.0, abs=0.05)
    assert read_motion(tmp_path / "a.npz")[1]["motion"]["start_s"] == report["start_s"]


def test_motion_that_talk_would_not_read_is_not_written(
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for row, said in (("a:b,jawPitch,1", "'a:b'"), ("a,jawPitch,1000", "a reaches 210")):
        (tmp_path / "map.csv").write_text(f"target,source,weight\n{row}\n")
        arguments = ["retarget", "m.npz", "--mapping", "map.csv", "--out"]
        assert talk(*arguments, "a.npz") == 3
        error = capsys.readouterr().err.replace("\n", " ")
        assert said in error and "a.csv" in error
        assert not (tmp_path / "a.npz").exists()
        assert talk(*arguments, "a.csv", "--quiet") == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["v.npz", "--to", "arkit", "--out", "a.npz", "--write-mapping", "m.csv"], 3, "v.npz holds vertices"),
        (["m.npz", "--to", "arkit", "--landmarks", "x.csv", "--out", "a.npz"], 2, "leave --landmarks out"),
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
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    still = np.zeros((2, 3, 3), np.float32)
    write_motion(tmp_path / "v.npz", VertexMotion(vertices=still, neutral=still[0], fps=25.0, topology="x"))
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
    # And so is the GLB a source.
    assert talk("retarget", "o.npz", "--to", "ada", "--out", "b.npz", "--quiet") == 0
    back, _ = read_motion(tmp_path / "b.npz")
    assert back.coeffs[-2, ADA.index("jawPitch")] == pytest.approx(0.21 * 10 / 11, rel=0.15)


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
