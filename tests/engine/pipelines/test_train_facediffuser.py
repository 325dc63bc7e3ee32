"""FaceDiffuser trained by a recipe on vertices and on coefficients, resumed, and its performer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.model_file import load_model, read_content
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.performers.facediffuser import FaceDiffuserControls
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.training import data as training_data
from talkcli.engine.pipelines.training.recipes import recipe_schema
from talkcli.engine.pipelines.training.train import Job, train_method
from talkcli.engine.types import Silent, Speech, VertexMotion
from tests.engine.fakes import NUM_VERTS, LinearHead, write_corpus, write_vertex_corpus

HUBERT = (
    "model.content={kind: wav2vec2, width: 16, layers: 2, heads: 2, feedforward: 16, channels: 8, "
    "frozen: convolutions, frozen_layers: 1}"
)


@pytest.fixture(scope="module", autouse=True)
def linear_head() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "load_head", lambda name: LinearHead())
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("facediffuser") / "corpus")


@pytest.fixture(scope="module")
def vertices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vertex_corpus(tmp_path_factory.mktemp("facediffuser") / "vertices")


def trained(manifest: Path, out: Path, *settings: str, resume: bool = False, **parts: str) -> Path:
    recipe = load_recipe(recipe_schema("facediffuser"), "facediffuser.debug", ["train.steps=4", *settings])
    job = Job(manifest=manifest, out=out, device="cpu", resume=resume)
    done = train_method("facediffuser", recipe, job, Silent(), parts=parts)
    assert done is not None
    return done.model


def spoken(seconds: float = 1.0) -> Speech:
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(16_000 * seconds))
    return Speech(samples=samples.astype(np.float32))


def test_the_loss_falls(corpus: Path, tmp_path: Path) -> None:
    trained(corpus, tmp_path / "run", "train.steps=100", "train.learning_rate=0.01", "train.log_every=1")
    records = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    values = [record["loss"] for record in records if "loss" in record]
    assert sum(values[-10:]) < 0.85 * sum(values[:10])


def test_stopped_and_resumed_is_the_run_never_stopped(corpus: Path, tmp_path: Path) -> None:
    length = ("train.save_every=3", "train.validate_every=3", "train.schedule=constant")
    trained(corpus, tmp_path / "whole", "train.steps=6", *length)
    trained(corpus, tmp_path / "run", "train.steps=3", *length)
    run = tmp_path / "run" / "run.json"
    run.write_text(run.read_text().replace('"steps": 3', '"steps": 6'))
    trained(corpus, tmp_path / "run", "train.steps=6", *length, resume=True)
    one, other = (read_content(tmp_path / name / "best.safetensors").weights for name in ("whole", "run"))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("paired", [False, True])
def test_vertices_with_hubert(vertices: Path, tmp_path: Path, paired: bool) -> None:
    settings = ("model.motion=vertices", HUBERT, f"model.paired={str(paired).lower()}")
    path = trained(vertices, tmp_path / "run", *settings, hubert="random")
    model, header = load_model(path)
    assert (header.num_verts, header.fps, header.head) == (NUM_VERTS, 25, "toy-mesh")
    assert model.config.speakers == ("speaker0", "speaker1", "speaker2")
    np.testing.assert_allclose(model.neutral, LinearHead().template, atol=1e-6)
    (motion,) = open_model(str(path), "cpu").perform(spoken(), Sampling(actor="speaker1"))
    assert isinstance(motion, VertexMotion)
    assert motion.vertices.shape == (24, NUM_VERTS, 3)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("model.identity=2",), "has room for 2"),
        (("objective.surface_weight=1",), "are for coefficients"),
        ((HUBERT, "model.fps=30"), "trains at 25"),
        ((HUBERT, "data.cache_features=true"), "cache_features"),
    ],
)
def test_recipes_that_do_not_fit(
    vertices: Path, tmp_path: Path, settings: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        trained(vertices, tmp_path / "run", "model.motion=vertices", *settings, hubert="random")


def test_hubert_is_needed_and_must_fit(vertices: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="HuBERT"):
        trained(vertices, tmp_path / "run", "model.motion=vertices", HUBERT)
    torch.save({"hubert.encoder.layer_norm.weight": torch.zeros(3)}, tmp_path / "hubert.pt")
    with pytest.raises(InputError, match="does not hold the weights of HuBERT"):
        trained(
            vertices, tmp_path / "two", "model.motion=vertices", HUBERT, hubert=str(tmp_path / "hubert.pt")
        )


@pytest.fixture(scope="module")
def plain(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(corpus, tmp_path_factory.mktemp("plain") / "run", "model.plain=true", "model.identity=1")


def test_takes_are_drawn_by_noise(plain: Path) -> None:
    performer = open_model(str(plain), "cpu")

    def values(seed: int, takes: int, **controls: object) -> list[np.ndarray]:
        made = performer.perform(
            spoken(),
            Sampling(seed=seed, takes=takes),
            FaceDiffuserControls(**controls),  # type: ignore[arg-type]
        )
        return [motion.values for motion in made]

    one, two = values(0, 2)
    np.testing.assert_array_equal(values(0, 1)[0], one)
    assert not np.array_equal(one, two)
    assert not np.array_equal(values(1, 1)[0], one)
    few = values(0, 1, sampler="ddim", steps=3)[0]
    assert few.shape == one.shape
    assert not np.array_equal(few, one)
    # Without a number, ddim has 20 steps, which is all that this model has.
    np.testing.assert_array_equal(values(0, 1, sampler="ddim")[0], values(0, 1, sampler="ddim", steps=20)[0])


def test_controls_that_do_not_fit(plain: Path) -> None:
    for steps in (0, -1, True):
        with pytest.raises(UsageError, match="no whole number above 0"):
            FaceDiffuserControls(steps=steps)
    # At the call, not at the first take.
    with pytest.raises(UsageError, match="more than the 20 times"):
        open_model(str(plain), "cpu").perform(spoken(), Sampling(), FaceDiffuserControls(steps=21))


def test_the_plain_variant_knows_no_speakers(plain: Path) -> None:
    performer = open_model(str(plain), "cpu")
    assert performer.cast(Sampling(), Silent()) == (Sampling(), False)
    (motion,) = performer.perform(spoken(), Sampling())
    assert motion.values.shape == (25, 53)
    with pytest.raises(UsageError, match="knows no speakers"):
        performer.perform(spoken(), Sampling(actor="0"))
