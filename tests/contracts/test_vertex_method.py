"""A method of vertices goes the way of every method: trained on clips of vertices, animated, drawn,
scored.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from talkcli.app import app
from talkcli.engine.checkpoints.model_file import read_header
from talkcli.engine.face import surface
from talkcli.engine.face.motion_file import read_any_motion, write_motion
from talkcli.engine.methods import METHODS, Method
from talkcli.engine.types import VertexMotion
from tests.engine.fakes import NUM_VERTS, LinearHead, write_vertex_corpus

HERE = Path(__file__).parent / "toy"
HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello.wav"
ROW = Method(
    model="tests.contracts.toy.vertices:ToyVertices",
    config="tests.contracts.toy.model:ToyConfig",
    objective="tests.contracts.toy.vertices:VerticesObjective",
    objective_config="tests.contracts.toy.vertices:VerticesObjectiveConfig",
    recipe=str(HERE / "toy.yaml"),
    paper="ours",
    page="add-a-method.md",
    motion="vertices",
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder of the method, trained on made-up clips of vertices."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(METHODS, "toy_vertices", ROW)
    write_vertex_corpus(tmp_path / "corpus")
    _talk("train", "toy_vertices", tmp_path / "corpus", "--out", tmp_path / "run", "--device", "cpu")
    return tmp_path / "run"


def _talk(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json", "--quiet"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def _refusal(*arguments: object) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exception is not None
    return str(result.exception)


def test_it_learns_and_its_file_says_what_it_makes(run: Path) -> None:
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    losses = [record["loss"] for record in log if "loss" in record]
    assert losses[-1] < losses[0]
    header = read_header(run / "best.safetensors")
    assert (header.head, header.channels, header.num_verts) == ("toy-mesh", (), NUM_VERTS)


def test_it_animates(run: Path, tmp_path: Path) -> None:
    report = _talk("animate", HELLO, "--model", run, "--out", tmp_path / "a.npz")
    motion, meta = read_any_motion(tmp_path / "a.npz")
    assert isinstance(motion, VertexMotion)
    assert motion.vertices.shape == (report["frames"], NUM_VERTS, 3)
    # The mean of the training subjects at rest, whom the fake corpus has one of.
    np.testing.assert_allclose(motion.neutral, LinearHead().template, atol=1e-6)
    assert 0 < np.abs(motion.vertices - motion.neutral).max() < 0.1
    assert (meta["method"], report["head"]) == ("toy_vertices", "toy-mesh")


def test_it_is_drawn_on_a_head_of_its_vertices(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("animate", HELLO, "--model", run, "--size", 64)
    assert "triangles of the topology toy-mesh are unknown" in _refusal(*command, "--out", tmp_path / "a.mp4")
    assert not (tmp_path / "a.mp4").exists()
    monkeypatch.setattr(surface, "load_head", lambda name: LinearHead())
    report = _talk(*command, "--head", "ada", "--out", tmp_path / "frames")
    assert len(list((tmp_path / "frames").glob("*.png"))) == report["frames"]


def test_it_is_scored_against_the_vertices_of_the_data_set(run: Path, tmp_path: Path) -> None:
    report = _talk("score", "--dataset", tmp_path / "corpus", "--split", "val", "--model", run)
    assert (report["generation"]["method"], report["head"]) == ("toy_vertices", "toy-mesh")
    assert report["overall"]["mve_mm"]["value"] > 0
    assert "no region lips" in report["overall"]["lve_mm"]["reason"]
    assert report["vertex_sets"] | {"all": NUM_VERTS, "lips": None} == report["vertex_sets"]


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [(("--smooth",), "makes vertices"), (("--sigma", "0.1"), "no control of a toy_vertices model")],
)
def test_layers_and_controls_are_refused(
    run: Path, tmp_path: Path, wish: tuple[str, ...], sentence: str
) -> None:
    assert sentence in _refusal("animate", HELLO, "--model", run, "--out", tmp_path / "a.npz", *wish)
    assert not (tmp_path / "a.npz").exists()


def test_a_method_of_coefficients_does_not_take_vertices(tmp_path: Path) -> None:
    write_vertex_corpus(tmp_path / "corpus")
    told = _refusal("train", "vae", tmp_path / "corpus", "--out", tmp_path / "run", "--recipe", "vae.debug")
    assert "has no motion, only" in told


def test_given_motion_of_vertices_is_drawn_and_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = LinearHead()
    rng = np.random.default_rng(0)
    moved = head.template + rng.normal(0, 0.001, (50, NUM_VERTS, 3)).astype(np.float32)
    motion = VertexMotion(vertices=moved, neutral=head.template, fps=25.0, topology="mine", faces=head.faces)
    write_motion(tmp_path / "a.npz", motion)
    _talk("render", tmp_path / "a.npz", "--size", 32, "--out", tmp_path / "frames")
    assert len(list((tmp_path / "frames").glob("*.png"))) == 50
    report = _talk("score", tmp_path / "a.npz", "--truth", tmp_path / "a.npz")
    assert report["overall"]["mve_mm"]["value"] == 0
    monkeypatch.setattr(surface, "load_head", lambda name: head)
    report = _talk("score", tmp_path / "a.npz", "--truth", tmp_path / "a.npz", "--head", "ada")
    assert (report["overall"]["lve_mm"]["value"], report["vertex_sets"]["lips"]) == (0, 20)
    assert report["overall"]["jump_mm"]["value"] > 0
