"""CodeTalker trained by recipes: both stages by heart, on vertices and on coefficients; its performer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.model_file import load_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.performers.codetalker import CodeTalkerControls
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.training.recipes import recipe_schema
from talkcli.engine.pipelines.training.train import Job, train_method
from talkcli.engine.types import Silent, Speech, VertexMotion
from tests.engine.fakes import NUM_VERTS, LinearHead, write_corpus, write_vertex_corpus

BY_HEART = ("train.steps=150", "train.learning_rate=0.003", "train.log_every=1", "data.size=2")


def trained(method: str, manifest: Path, out: Path, *settings: str, **parts: str) -> Path:
    recipe = load_recipe(recipe_schema(method), f"{method}.debug", ["train.steps=4", *settings])
    job = Job(manifest=manifest, out=out, device="cpu")
    done = train_method(method, recipe, job, Silent(), parts=parts)
    assert done is not None
    return done.model


def losses(run: Path, name: str) -> list[float]:
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [record[name] for record in records if name in record]


def spoken(seconds: float = 1.0) -> Speech:
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(16_000 * seconds))
    return Speech(samples=samples.astype(np.float32))


def test_both_stages_on_vertices(tmp_path: Path) -> None:
    manifest = write_vertex_corpus(tmp_path / "corpus")
    trained("codetalker_vq", manifest, tmp_path / "vq", "model.motion=vertices")
    path = trained("codetalker", manifest, tmp_path / "run", prior=str(tmp_path / "vq"))
    model, header = load_model(path)
    assert (header.num_verts, header.fps, header.head) == (NUM_VERTS, 25, "toy-mesh")
    assert model.config.speakers == ("speaker0", "speaker1", "speaker2")
    np.testing.assert_allclose(model.neutral, LinearHead().template, atol=1e-6)
    auto_encoder, _ = load_model(tmp_path / "vq" / "best.safetensors")
    held = model.prior.state_dict()
    assert all(torch.equal(value, held[name]) for name, value in auto_encoder.state_dict().items())
    performer = open_model(str(path), "cpu")
    for kind in (None, "exact", "window"):
        controls = CodeTalkerControls(feedback=kind)
        (motion,) = performer.perform(spoken(), Sampling(actor="speaker1"), controls)
        assert isinstance(motion, VertexMotion)
        assert motion.vertices.shape == (25, NUM_VERTS, 3)


def test_both_stages_learn_coefficients_by_heart(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path / "corpus", clips=7)
    trained("codetalker_vq", manifest, tmp_path / "vq", *BY_HEART, "model.dropout=0")
    values = losses(tmp_path / "vq", "value")
    assert np.mean(values[-5:]) < 0.5 * np.mean(values[:5])
    trained(
        "codetalker", manifest, tmp_path / "run", *BY_HEART, "model.dropout=0", prior=str(tmp_path / "vq")
    )
    features = losses(tmp_path / "run", "feature")
    assert np.mean(features[-5:]) < 0.5 * np.mean(features[:5])


def test_the_part_must_be_an_auto_encoder_of_codetalker(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path / "corpus")
    with pytest.raises(UsageError, match="`prior` is missing") as caught:
        trained("codetalker", manifest, tmp_path / "run")
    assert "talk train codetalker_vq" in str(caught.value.hint)
    other = trained("th_vqvae", manifest, tmp_path / "other", "train.steps=1", "objective.vertices=null")
    other = load_recipe(recipe_schema("vqvae"), "vqvae.debug", ["train.steps=1"])
    train_method("vqvae", other, Job(manifest=manifest, out=tmp_path / "vq", device="cpu"), Silent())
    with pytest.raises(InputError, match="a codetalker_vq is needed"):
        trained("codetalker", manifest, tmp_path / "run", prior=str(tmp_path / "vq"))
