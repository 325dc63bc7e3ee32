"""FaceFormer trained by a recipe on vertices and on coefficients, and its performer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.model_file import Meta, load_model, save_model
from talkcli.engine.errors import UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.training.recipes import recipe_schema
from talkcli.engine.pipelines.training.train import Job, train_method
from talkcli.engine.types import Motion, Silent, Speech, VertexMotion
from tests.engine.fakes import NUM_VERTS, LinearHead, write_corpus, write_vertex_corpus
from tests.engine.models.tiny_faceformer import tiny_config, tiny_faceformer


def trained(manifest: Path, out: Path, *settings: str, **parts: str) -> Path:
    recipe = load_recipe(recipe_schema("faceformer"), "faceformer.debug", ["train.steps=4", *settings])
    job = Job(manifest=manifest, out=out, device="cpu")
    done = train_method("faceformer", recipe, job, Silent(), parts=parts)
    assert done is not None
    return done.model


def spoken(seconds: float = 1.0) -> Speech:
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(16_000 * seconds))
    return Speech(samples=samples.astype(np.float32))


def test_vertices(tmp_path: Path) -> None:
    manifest = write_vertex_corpus(tmp_path / "corpus")
    path = trained(manifest, tmp_path / "run", "model.motion=vertices")
    model, header = load_model(path)
    assert (header.num_verts, header.fps, header.head) == (NUM_VERTS, 25, "toy-mesh")
    assert model.config.speakers == ("speaker0", "speaker1", "speaker2")
    np.testing.assert_allclose(model.neutral, LinearHead().template, atol=1e-6)
    (motion,) = open_model(str(path), "cpu").perform(spoken(), Sampling(actor="speaker1"))
    assert isinstance(motion, VertexMotion)
    assert motion.vertices.shape == (25, NUM_VERTS, 3)


def test_wav2vec2_with_random_weights(tmp_path: Path) -> None:
    manifest = write_vertex_corpus(tmp_path / "corpus")
    content = "model.content={kind: wav2vec2, width: 16, layers: 1, heads: 2, feedforward: 16, channels: 8}"
    settings = ("model.motion=vertices", content, "model.content.frozen=convolutions", "model.per_frame=2")
    path = trained(manifest, tmp_path / "run", *settings, wav2vec2="random")
    (motion,) = open_model(str(path), "cpu").perform(spoken(), Sampling())
    assert motion.num_frames == 24


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("model.identity=2", "has room for 2"),
        ("objective.surface_weight=1", "are for coefficients"),
    ],
)
def test_recipes_that_do_not_fit(tmp_path: Path, setting: str, sentence: str) -> None:
    manifest = write_vertex_corpus(tmp_path / "corpus")
    with pytest.raises(UsageError, match=sentence):
        trained(manifest, tmp_path / "run", "model.motion=vertices", setting)


def test_training_is_at_25_frames_a_second(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path / "corpus")
    content = "model.content={kind: wav2vec2, width: 16, layers: 1, heads: 2, feedforward: 16}"
    with pytest.raises(UsageError, match="trains at 25"):
        trained(manifest, tmp_path / "run", content, "model.fps=30", wav2vec2="random")


@pytest.fixture
def thirty(tmp_path: Path) -> Path:
    """A model of 30 fps, as a converted one is."""
    model = tiny_faceformer(tiny_config(motion="coefficients", fps=30, speakers=("anna", "ben")), 53)
    meta = Meta(head="ada", channels=ADA, fps=30, trained_on="nothing", licence="none")
    save_model(tmp_path / "m.safetensors", model, meta=meta)
    return tmp_path / "m.safetensors"


def test_a_converted_model_keeps_its_rate(thirty: Path) -> None:
    (motion,) = open_model(str(thirty), "cpu").perform(spoken(2.0), Sampling())
    assert isinstance(motion, Motion)
    assert (motion.fps, motion.num_frames) == (30.0, 59)


def test_actors_by_name_and_number(thirty: Path) -> None:
    performer = open_model(str(thirty), "cpu")
    cast, by_default = performer.cast(Sampling(), Silent())
    assert (cast.actor, by_default) == ("anna", True)

    def values(actor: str | None) -> np.ndarray:
        (motion,) = performer.perform(spoken(), Sampling(actor=actor))
        return motion.values

    np.testing.assert_array_equal(values(None), values("anna"))
    np.testing.assert_array_equal(values("1"), values("ben"))
    assert not np.array_equal(values("anna"), values("ben"))
    with pytest.raises(UsageError, match="no actor bob"):
        performer.perform(spoken(), Sampling(actor="bob"))
