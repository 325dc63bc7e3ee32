"""A method of vertices goes the way of every method: trained on clips of vertices, animated, drawn,
scored.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import talkcli as talk
from talkcli.app import app
from talkcli.engine.checkpoints.model_file import Meta, load_model, read_header, save_model
from talkcli.engine.face import surface
from talkcli.engine.face.motion_file import read_any_motion, write_motion
from talkcli.engine.method_rows.row import Method
from talkcli.engine.methods import METHODS
from talkcli.engine.types import VertexMotion
from tests.engine.face.open_mesh import open_mesh, write_ply
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


def without_rest(run: Path, out: Path) -> Path:
    """The model as if it was published as offsets alone: zeros in place of a face at rest."""
    model, header = load_model(run / "best.safetensors")
    assert model.neutral.any()
    model.neutral.zero_()
    save_model(out, model, meta=Meta(**{name: getattr(header, name) for name in Meta.model_fields}))
    return out


def test_it_is_drawn_on_a_template(run: Path, tmp_path: Path) -> None:
    head = LinearHead()
    mesh = write_ply(tmp_path / "mesh.ply", head.template, head.faces)
    subject = head.template * 1.2
    (tmp_path / "templates.pkl").write_bytes(pickle.dumps({"other": head.template, "anna": subject}))
    command = ("animate", HELLO, "--model", without_rest(run, tmp_path / "offsets.safetensors"), "--size", 64)
    told = _refusal(*command, "--out", tmp_path / "a.npz")
    assert told == "The model makes offsets of vertices of toy-mesh, and has no face at rest to add them to."
    # Vertices of a subject need no triangles; pictures do.
    given = ("--template", f"{tmp_path}/templates.pkl:anna")
    told = _refusal(*command, *given, "--out", tmp_path / "frames")
    assert "triangles of the topology toy-mesh are unknown" in told
    _talk(*command, *given, "--out", tmp_path / "a.npz")
    report = _talk(
        *command, *given, "--template", mesh, "--out", tmp_path / "b.npz", "--out", tmp_path / "frames"
    )
    assert len(list((tmp_path / "frames").glob("*.png"))) == report["frames"]
    bare, whole = (read_any_motion(tmp_path / name)[0] for name in ("a.npz", "b.npz"))
    assert isinstance(bare, VertexMotion) and isinstance(whole, VertexMotion)
    np.testing.assert_allclose(bare.neutral, subject, rtol=1e-6)
    np.testing.assert_array_equal(bare.vertices, whole.vertices)
    assert bare.faces is None and whole.faces is not None
    # The same offsets as over the face that the model learned with.
    _talk("animate", HELLO, "--model", run, "--out", tmp_path / "own.npz")
    own = read_any_motion(tmp_path / "own.npz")[0]
    assert isinstance(own, VertexMotion)
    np.testing.assert_allclose(bare.vertices - bare.neutral, own.vertices - own.neutral, atol=1e-6)
    # The file has the triangles now, and so it is drawn without a template; the other one with it.
    _talk("render", tmp_path / "b.npz", "--size", 64, "--out", tmp_path / "again")
    _talk("render", tmp_path / "a.npz", "--size", 64, "--template", mesh, "--out", tmp_path / "more")
    again, more = (sorted((tmp_path / name).iterdir()) for name in ("again", "more"))
    for one, other in zip(again, more, strict=True):
        np.testing.assert_array_equal(pixels(one), pixels(other))
    # Python's interface says the same.
    both = [f"{tmp_path}/templates.pkl:anna", mesh]
    made = talk.load(tmp_path / "offsets.safetensors", device="cpu", template=both).animate(HELLO)
    assert isinstance(made, VertexMotion)
    np.testing.assert_array_equal(made.vertices, whole.vertices)
    talk.render(bare, tmp_path / "api", template=mesh, size=64)
    np.testing.assert_array_equal(pixels(more[0]), pixels(tmp_path / "api" / more[0].name))


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_vertices_of_flame_are_drawn_without_flames_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TALK_FLAME", raising=False)
    vertices, faces = open_mesh()
    motion = VertexMotion(vertices=vertices[None], neutral=vertices, fps=25.0, topology="flame")
    write_motion(tmp_path / "a.npz", motion)
    command = ("render", tmp_path / "a.npz", "--size", 128, "--out", tmp_path / "frames")
    assert "triangles of the topology flame are unknown" in _refusal(*command)
    _talk(*command, "--template", write_ply(tmp_path / "a.ply", vertices, faces), "--topology", "flame")
    picture = pixels(tmp_path / "frames" / "frame_000000.png").astype(float)
    # A lit face in the middle, redder than blue, brighter on the side of the key light, on a grey wall.
    face, wall = picture[40:80, 50:78], picture[4:20, 4:20]
    assert face[..., 0].mean() > face[..., 2].mean() + 20
    assert abs(wall[..., 0].mean() - wall[..., 2].mean()) < 12
    assert face[:, :10].mean() > face[:, -10:].mean() + 5
    assert "template" in _refusal(*command[:-1], tmp_path / "more", "--topology", "flame")


def test_a_template_is_for_vertices(tmp_path: Path) -> None:
    mesh = write_ply(tmp_path / "mesh.ply", *open_mesh(8, 6))
    for arguments in ((), ("--model", "rules", "--text", "hello")):
        told = _refusal("animate", HELLO, *arguments, "--template", mesh, "--out", tmp_path / "a.npz")
        assert "is for models of vertices" in told
    assert not (tmp_path / "a.npz").exists()


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
    _talk("render", tmp_path / "a.npz", "--size", 64, "--out", tmp_path / "frames")
    assert len(list((tmp_path / "frames").glob("*.png"))) == 50
    report = _talk("score", tmp_path / "a.npz", "--truth", tmp_path / "a.npz")
    assert report["overall"]["mve_mm"]["value"] == 0
    monkeypatch.setattr(surface, "load_head", lambda name: head)
    report = _talk("score", tmp_path / "a.npz", "--truth", tmp_path / "a.npz", "--head", "ada")
    assert (report["overall"]["lve_mm"]["value"], report["vertex_sets"]["lips"]) == (0, 20)
    assert report["overall"]["jump_mm"]["value"] > 0
