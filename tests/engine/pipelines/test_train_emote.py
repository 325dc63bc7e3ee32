"""FLINT and EMOTE trained by recipes: both stages, resumed, with their parts; and EMOTE's performer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.model_file import load_model, read_content
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.performers.emote import EmoteControls, EmotePerformer
from talkcli.engine.performers.open import chosen_controls, open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.training import data as training_data
from talkcli.engine.pipelines.training.recipes import recipe_schema
from talkcli.engine.pipelines.training.train import Job, Trained, train_method
from talkcli.engine.types import Emotion, Motion, Speech
from tests.engine.fakes import LinearHead, Told, write_corpus

PACE = ("train.learning_rate=0.003", "train.log_every=1")


@pytest.fixture(scope="module", autouse=True)
def linear_head() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "load_head", lambda name: LinearHead())
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def trained(
    method: str,
    manifest: Path,
    out: Path,
    *settings: str,
    stage: int | None = None,
    resume: bool = False,
    told: Told | None = None,
    **parts: str,
) -> Trained:
    staged = stage or (1 if method == "emote" else None)
    recipe = load_recipe(recipe_schema(method), f"{method}.debug", list(settings), stage=staged)
    job = Job(manifest=manifest, out=out, device="cpu", resume=resume)
    done = train_method(method, recipe, job, told or Told(), parts=parts, stage=stage or 1)
    assert done is not None
    return done


@pytest.fixture(scope="module")
def flint(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "flint"
    trained("flint", corpus, out, "train.steps=100", "train.learning_rate=0.01", "train.log_every=1")
    return out


@pytest.fixture(scope="module")
def emote(corpus: Path, flint: Path) -> Path:
    out = flint.with_name("emote")
    trained(
        "emote",
        corpus,
        out,
        "train.steps=100",
        "train.learning_rate=0.01",
        "train.log_every=1",
        prior=str(flint),
    )
    return out


def share(run: Path, term: str) -> float:
    """Mean of a term over the last ten steps, as a part of that over the first ten."""
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    values = [record[term] for record in records if term in record]
    return sum(values[-10:]) / sum(values[:10])


def test_both_learn(flint: Path, emote: Path) -> None:
    assert share(flint, "vertex") < 0.85
    # The frozen decoder of a prior that learned for seconds makes no better motion.
    assert share(emote, "loss") < 0.93
    model, header = load_model(emote / "best.safetensors")
    assert (header.method, header.head) == ("emote", "ada")
    assert model.config.speakers == ("speaker0", "speaker1", "speaker2")
    prior, _ = load_model(flint / "best.safetensors")
    assert model.config.prior == prior.config
    held = model.prior.state_dict()
    assert all(torch.equal(value, held[name]) for name, value in prior.decoder.state_dict().items())


@pytest.mark.parametrize("method", ["flint", "emote"])
def test_stopped_and_resumed_is_the_run_never_stopped(
    corpus: Path, flint: Path, tmp_path: Path, method: str
) -> None:
    parts = {"prior": str(flint)} if method == "emote" else {}
    length = ("train.save_every=3", "train.validate_every=3")
    trained(method, corpus, tmp_path / "whole", "train.steps=6", "train.schedule=constant", *length, **parts)
    trained(method, corpus, tmp_path / "run", "train.steps=3", "train.schedule=constant", *length, **parts)
    run = tmp_path / "run" / "run.json"
    run.write_text(run.read_text().replace('"steps": 3', '"steps": 6'))
    trained(
        method, corpus, tmp_path / "run", "train.steps=6", "train.schedule=constant", *length, resume=True
    )
    one, other = (read_content(tmp_path / name / "best.safetensors").weights for name in ("whole", "run"))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_stage_2_goes_on_from_stage_1(corpus: Path, emote: Path, tmp_path: Path) -> None:
    told = Told()
    settings = ("train.steps=2", "objective.swap_lip_reading_weight=0.1", "data.frames=8", *PACE)
    parts = {"start": str(emote), "lip_reader": "random"}
    trained("emote", corpus, tmp_path / "two", *settings, stage=2, told=told, **parts)
    assert told.noted("a stand-in for the published network")
    records = [json.loads(line) for line in (tmp_path / "two" / "log.jsonl").read_text().splitlines()]
    assert {"vertex", "emotion", "swap_emotion", "swap_lip_reading"} <= set(records[0])
    first, second = (load_model(run / "best.safetensors")[0] for run in (emote, tmp_path / "two"))
    assert first.config == second.config
    changed = (first.narrow.weight - second.narrow.weight).abs().max()
    assert 0 < changed < 0.1
    # The judge is remembered, but is no part of the model.
    inputs = json.loads((tmp_path / "two" / "run.json").read_text())["inputs"]
    assert set(inputs) == {"start", "emotion_judge", "lip_reader"}


def test_parts_and_settings_that_do_not_fit(corpus: Path, flint: Path, emote: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(UsageError, match="`prior` is missing") as caught:
        trained("emote", corpus, out)
    assert "talk train flint" in str(caught.value.hint)
    with pytest.raises(InputError, match="a flint is needed"):
        trained("emote", corpus, out, prior=str(emote))
    with pytest.raises(UsageError, match="takes `prior` from the model of stage 1"):
        trained("emote", corpus, out, stage=2, prior=str(flint), start=str(emote))
    with pytest.raises(UsageError, match="`start` is for stage 2"):
        trained("emote", corpus, out, prior=str(flint), start=str(emote))
    with pytest.raises(InputError, match=r"an? emotion_image is needed|holds a flint"):
        trained("emote", corpus, out, stage=2, start=str(emote), emotion_judge=str(flint))
    with pytest.raises(UsageError, match=r"data\.size is 1"):
        trained("emote", corpus, out, "data.size=1", stage=2, start=str(emote))
    with pytest.raises(UsageError, match="has room for 2"):
        trained("emote", corpus, out, "model.identity=2", prior=str(flint))
    with pytest.raises(UsageError, match="needs a multiple of 8"):
        trained("flint", corpus, out, "data.frames=20")


def spoken(seconds: float = 1.0) -> Speech:
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(16_000 * seconds))
    return Speech(samples=samples.astype(np.float32))


def takes(
    performer: EmotePerformer, sampling: Sampling, controls: EmoteControls | None = None
) -> list[np.ndarray]:
    found = []
    for motion in performer.perform(spoken(), sampling, controls):
        assert isinstance(motion, Motion)
        assert motion.coeffs.shape == (25, 53)
        found.append(motion.coeffs)
    return found


def test_performing(emote: Path) -> None:
    performer = open_model(str(emote), "cpu")
    assert isinstance(performer, EmotePerformer)
    told = Told()
    cast, by_default = performer.cast(Sampling(), told)
    assert (cast.actor, by_default) == ("speaker0", True)
    assert told.noted("neutral")

    plain, again = takes(performer, Sampling(takes=2))
    np.testing.assert_array_equal(plain, again)
    (quiet,) = takes(performer, Sampling(), EmoteControls(sigma=0.0))
    np.testing.assert_array_equal(plain, quiet)
    one, two = takes(performer, Sampling(takes=2), EmoteControls(sigma=0.5))
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(one, takes(performer, Sampling(), EmoteControls(sigma=0.5))[0])

    def under(label: str, level: float = 1.0, actor: str | None = None) -> np.ndarray:
        return takes(performer, Sampling(emotion=Emotion(label=label, level=level), actor=actor))[0]

    np.testing.assert_array_equal(plain, under("neutral"))
    np.testing.assert_array_equal(under("sad", 0.7), under("sad", 1.0))
    assert not np.array_equal(under("sad", 0.3), under("sad", 1.0))
    assert not np.array_equal(under("happy"), under("sad"))
    assert not np.array_equal(under("sad", actor="speaker1"), under("sad"))
    np.testing.assert_array_equal(under("sad", actor="1"), under("sad", actor="speaker1"))


def test_what_it_cannot_perform(emote: Path) -> None:
    performer = open_model(str(emote), "cpu")
    with pytest.raises(UsageError, match="from a label"):
        performer.perform(spoken(), Sampling(), None, spoken())
    with pytest.raises(UsageError, match="no actor bob"):
        performer.perform(spoken(), Sampling(actor="bob"))
    for sigma in (-0.1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="no number from 0 on"):
            EmoteControls(sigma=sigma)
    with pytest.raises(UsageError, match="`tau_top` is no control of a emote"):
        chosen_controls(performer.header, {"tau_top": 0.5})
    told = Told()
    performer.cast(Sampling(emotion=Emotion(label="calm")), told)
    assert told.noted("does not know calm")
