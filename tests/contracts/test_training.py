"""Training as a whole: it learns, goes on, and refuses what does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.model_file import load_model
from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.pipelines import train
from talkcli.engine.types import Silent
from tests.engine.fakes import LinearHead, write_corpus


@pytest.fixture(autouse=True)
def linear_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "load_head", lambda name: LinearHead())


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def _vq(manifest: Path, out: Path, *settings: str, resume: bool = False) -> train.Trained:
    recipe = load_recipe(train.ThVqvaeRecipe, "th_vqvae.debug", list(settings))
    return train.train_vq(
        recipe, train.Job(manifest=manifest, out=out, device="cpu", resume=resume), Silent()
    )


def test_the_prior_learns(manifest: Path, tmp_path: Path) -> None:
    few = _vq(manifest, tmp_path / "few", "train.steps=5")
    many = _vq(manifest, tmp_path / "many", "train.steps=150", "train.learning_rate=0.003")
    assert many.measures["lip_error_mm"] < 0.5 * few.measures["lip_error_mm"]
    assert many.measures["top_usage"] > 0.1
    model, _ = load_model(many.model)
    assert model.config.codes == 32


def test_the_embedding_learns_on_unseen_clips(manifest: Path, tmp_path: Path) -> None:
    settings = ["train.steps=60", "train.learning_rate=0.005", "objective.classifier_weight=3"]
    recipe = load_recipe(train.DeeRecipe, "dee.debug", settings)
    made = train.train_dee(recipe, train.Job(manifest=manifest, out=tmp_path / "dee", device="cpu"), Silent())
    # Each of the emotions has a channel of its own in the fake corpus: the motion side is easy.
    assert made.measures["motion_uar"] > 0.7


def test_run_folder_says_what_was_run(manifest: Path, tmp_path: Path) -> None:
    _vq(manifest, tmp_path / "run")
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["method"] == "th_vqvae"
    assert run["recipe"]["model"]["width"] == 32
    assert run["recipe"]["model"]["decay"] == 0.95
    assert len(run["manifest_sha256"]) == 64
    with pytest.raises(UsageError, match=r"recipe\.model\.width: 32 -> 64"):
        _vq(manifest, tmp_path / "run", "model.width=64", resume=True)


def test_the_generator_goes_on_without_its_parts_files(manifest: Path, tmp_path: Path) -> None:
    dee = load_recipe(train.DeeRecipe, "dee.debug", ["train.steps=2"])
    train.train_dee(dee, train.Job(manifest=manifest, out=tmp_path / "dee", device="cpu"), Silent())
    _vq(manifest, tmp_path / "vq", "train.steps=2")
    job = train.Job(manifest=manifest, out=tmp_path / "gen", device="cpu")
    recipe = load_recipe(train.DeepTalkRecipe, "deeptalk.debug", ["train.steps=3", "train.save_every=2"])
    first = train.train_gen(recipe, job, Silent(), dee=tmp_path / "dee", prior=tmp_path / "vq")
    again = train.train_gen(recipe, train.Job(**{**vars(job), "resume": True}), Silent())
    assert first.measures == again.measures

    with pytest.raises(UsageError, match="--dee is missing"):
        train.train_gen(recipe, train.Job(manifest=manifest, out=tmp_path / "new"), Silent())
    with pytest.raises(InputError, match="holds a th_vqvae, a dee is needed"):
        train.train_gen(
            recipe,
            train.Job(manifest=manifest, out=tmp_path / "new"),
            Silent(),
            dee=tmp_path / "vq",
            prior=tmp_path / "vq",
        )
    assert not (tmp_path / "new").exists()


def test_too_many_speakers_are_counted(manifest: Path, tmp_path: Path) -> None:
    dee = load_recipe(train.DeeRecipe, "dee.debug", ["train.steps=1"])
    train.train_dee(dee, train.Job(manifest=manifest, out=tmp_path / "dee", device="cpu"), Silent())
    _vq(manifest, tmp_path / "vq", "train.steps=1")
    recipe = load_recipe(train.DeepTalkRecipe, "deeptalk.debug", ["model.identity=2"])
    with pytest.raises(UsageError, match=r"3 speakers, model\.identity has room for 2"):
        train.train_gen(
            recipe,
            train.Job(manifest=manifest, out=tmp_path / "gen"),
            Silent(),
            dee=tmp_path / "dee",
            prior=tmp_path / "vq",
        )


def test_a_rate_far_too_high_is_stopped(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(TalkError, match="at step") as caught:
        _vq(manifest, tmp_path / "run", "train.learning_rate=1e30", "train.warmup_steps=0")
    assert "learning_rate" in str(caught.value.hint)
