"""A method of vertices trains on clips of coefficients, whose vertices their head computes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from talkcli.app import app
from talkcli.engine.checkpoints.model_file import read_content, read_header
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.types import Motion, VertexMotion
from tests.engine.fakes import write_corpus

HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello.wav"


def _talk(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json", "--quiet"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A short training of EmoFace on coefficients of ada."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    write_corpus(tmp_path / "corpus")
    command = ["train", "emoface", tmp_path / "corpus", "--recipe", "emoface.debug", "--device", "cpu"]
    return [*command, "--set", "train.steps=2", "--out", tmp_path / "run"]


def test_it_makes_vertices_of_ada(training: list[object], tmp_path: Path) -> None:
    measures = _talk(*training)["measures"]
    ada = load_head("ada")
    assert measures["lve_mm"] > measures["mve_mm"] > 0
    header = read_header(tmp_path / "run" / "best.safetensors")
    assert (header.head, header.channels, header.num_verts) == ("ada", (), len(ada.template))
    command = ("animate", HELLO, "--model", tmp_path / "run", "--actor", "speaker1", "--level", "0.5")
    report = _talk(*command, "--out", tmp_path / "a.npz")
    motion, _ = read_any_motion(tmp_path / "a.npz")
    assert isinstance(motion, VertexMotion)
    assert motion.topology == "ada"
    assert motion.vertices.shape == (report["frames"], len(ada.template), 3)
    np.testing.assert_allclose(motion.neutral, ada.template, atol=1e-6)
    _talk("render", tmp_path / "a.npz", "--size", 64, "--out", tmp_path / "frames")
    assert len(list((tmp_path / "frames").glob("*.png"))) == report["frames"]


def test_an_estimate_writes_nothing(training: list[object], tmp_path: Path) -> None:
    encoder = "kind: wav2vec2, width: 32, layers: 1, heads: 2, feedforward: 32, channels: 16"
    cached = ("--part", "wav2vec2=random", "--set", f"model.content={{{encoder}}}")
    before = sorted(tmp_path.rglob("*"))
    for more in ((), (*cached, "--set", "data.cache_features=true")):
        said = _talk(*training, *more, "--estimate")["estimate"]
        assert "million weights are trained" in said
        assert "GB for activations" in said
    assert sorted(tmp_path.rglob("*")) == before


def test_components_are_those_of_the_training_motion(training: list[object], tmp_path: Path) -> None:
    count = 40
    measures = _talk(*training, "--set", f"model.components={count}")["measures"]
    assert measures["lve_mm"] > 0
    weights = read_content(tmp_path / "run" / "best.safetensors").weights
    rows, spreads = weights["components"].float(), weights["spreads"]
    np.testing.assert_allclose(rows @ rows.T, np.eye(count), atol=1e-4)
    assert (spreads.diff() <= 0).all()
    # The training motion lies in the space of its largest components.
    ada = load_head("ada")
    paths = sorted((tmp_path / "corpus").rglob("*.npz"))
    motions = [read_any_motion(path)[0] for path in paths]
    coeffs = np.concatenate([motion.coeffs for motion in motions if isinstance(motion, Motion)])
    moved = (ada(torch.from_numpy(coeffs)) - torch.from_numpy(ada.template)).flatten(1)
    left = moved - moved @ rows.T @ rows
    assert left.square().sum() < 1e-3 * moved.square().sum()
