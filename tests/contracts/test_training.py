"""Training as a whole: it learns, goes on, and refuses what does not fit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.model_file import load_model
from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.out_folder import claim
from talkcli.engine.pipelines.training import data as training_data
from talkcli.engine.pipelines.training import train
from talkcli.engine.pipelines.training.dee import DeeRecipe
from talkcli.engine.pipelines.training.deeptalk import DeepTalkRecipe
from talkcli.engine.pipelines.training.fer import FerRecipe
from talkcli.engine.pipelines.training.phones import PhonesRecipe
from talkcli.engine.pipelines.training.prior import PriorRecipe
from talkcli.engine.types import Silent
from tests.engine.fakes import LinearHead, write_corpus


@pytest.fixture(autouse=True)
def linear_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_data, "load_head", lambda name: LinearHead())


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def _vq(manifest: Path, out: Path, *settings: str, resume: bool = False) -> train.Trained:
    recipe = load_recipe(PriorRecipe, "th_vqvae.debug", list(settings))
    return _only(
        train.train_method(
            "th_vqvae", recipe, train.Job(manifest=manifest, out=out, device="cpu", resume=resume), Silent()
        )
    )


def _only(trained: train.Trained | None) -> train.Trained:
    """What the one process of a test trained."""
    assert trained is not None
    return trained


def test_the_prior_learns(manifest: Path, tmp_path: Path) -> None:
    few = _vq(manifest, tmp_path / "few", "train.steps=5")
    many = _vq(manifest, tmp_path / "many", "train.steps=150", "train.learning_rate=0.003")
    assert many.measures["lip_error_mm"] < 0.5 * few.measures["lip_error_mm"]
    assert many.measures["top_usage"] > 0.1
    model, _ = load_model(many.model)
    assert model.config.codes == 32


def test_the_embedding_learns_on_unseen_clips(manifest: Path, tmp_path: Path) -> None:
    settings = ["train.steps=60", "train.learning_rate=0.005", "objective.classifier_weight=3"]
    recipe = load_recipe(DeeRecipe, "dee.debug", settings)
    job = train.Job(manifest=manifest, out=tmp_path / "dee", device="cpu")
    made = _only(train.train_method("dee", recipe, job, Silent()))
    # Each of the emotions has a channel of its own in the fake corpus: the motion side is easy.
    assert made.measures["motion_uar"] > 0.7


def test_the_front_end_learns_and_a_generator_hears_with_it(
    manifest: Path, parts: dict[str, str], tmp_path: Path
) -> None:
    job = train.Job(manifest=manifest, out=tmp_path / "phones", device="cpu")
    recipe = load_recipe(PhonesRecipe, "phones.debug")
    with pytest.raises(InputError, match="says which phone is when"):
        train.train_method("phones", recipe, job, Silent())
    said = write_corpus(tmp_path / "said", phones=True)
    settings = ["train.steps=60", "train.learning_rate=0.005"]
    recipe = load_recipe(PhonesRecipe, "phones.debug", settings)
    made = _only(train.train_method("phones", recipe, train.Job(**{**vars(job), "manifest": said}), Silent()))
    assert made.measures["accuracy"] > 0.5

    heard = ["model.content={kind: phones, width: 16, encoder: {ear: {num_mels: 32}}}", "train.steps=2"]
    chosen = {"dee": parts["dee"], "prior": parts["prior"], "phones": str(tmp_path / "phones")}
    job = train.Job(manifest=manifest, out=tmp_path / "gen", device="cpu")
    generator, _ = load_model(
        _only(train.train_method("deeptalk", _generator(*heard), job, Silent(), parts=chosen)).model
    )
    encoder, _ = load_model(made.model)
    for name, value in encoder.state_dict().items():
        assert torch.equal(generator.content.encoder.state_dict()[name], value)
    with pytest.raises(UsageError, match="`phones` is missing"):
        job = train.Job(manifest=manifest, out=tmp_path / "new", device="cpu")
        train.train_method("deeptalk", _generator(*heard), job, Silent(), parts=parts)


def test_clips_that_a_recipe_leaves_out(manifest: Path) -> None:
    whole = training_data.load_data(manifest, Silent())
    some = training_data.load_data(manifest, Silent(), leave_out=("clip000", "clip012"))
    assert {clip.id for clip in whole.training} - {clip.id for clip in some.training} == {"clip000"}
    assert {clip.id for clip in whole.validation} - {clip.id for clip in some.validation} == {"clip012"}
    with pytest.raises(InputError, match=r"train split .* leaves out"):
        training_data.load_data(manifest, Silent(), leave_out=("clip00",))


def test_terms_of_the_parts_stay_with_the_whole(manifest: Path) -> None:
    data = training_data.load_data(manifest, Silent())
    own = data.meta()
    part = own.model_copy(update={"licence": "CC-BY-NC-SA-4.0; CC0-1.0"})
    assert own.licence == "CC0-1.0"
    assert data.meta([part]).licence == "CC-BY-NC-SA-4.0; CC0-1.0"


def test_run_folder_says_what_was_run(manifest: Path, tmp_path: Path) -> None:
    _vq(manifest, tmp_path / "run")
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["method"] == "th_vqvae"
    assert run["recipe"]["model"]["width"] == 32
    assert run["recipe"]["model"]["decay"] == 0.95
    assert len(run["manifest_sha256"]) == 64
    with pytest.raises(UsageError, match=r"recipe\.model\.width: 32 -> 64"):
        _vq(manifest, tmp_path / "run", "model.width=64", resume=True)


@pytest.mark.parametrize("how", [{"resume": True}, {"overwrite": True}], ids=str)
def test_one_training_at_a_time_in_a_folder(how: dict[str, bool], manifest: Path, tmp_path: Path) -> None:
    _vq(manifest, tmp_path / "run", "train.steps=1")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.*") if path.is_file()}
    recipe = load_recipe(PriorRecipe, "th_vqvae.debug", ["train.steps=1"])
    job = train.Job(manifest=manifest, out=tmp_path / "run", device="cpu", **how)
    with claim(tmp_path / "run"), pytest.raises(InputError, match=r"Another run .* is writing to"):
        train.train_method("th_vqvae", recipe, job, Silent())
    for name, content in before.items():
        assert name == ".lock" or (tmp_path / "run" / name).read_bytes() == content
    assert train.train_method("th_vqvae", recipe, job, Silent()) is not None


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_best_model_is_not_gone_on_from(manifest: Path, tmp_path: Path, damage: str) -> None:
    best = _vq(manifest, tmp_path / "run", "train.steps=1").model
    content = bytearray(best.read_bytes())
    content[-9] ^= 16
    best.write_bytes(content if damage == "flipped" else content[:1000])
    with pytest.raises(InputError, match=r"Training cannot go on: .*best\.safetensors"):
        _vq(manifest, tmp_path / "run", "train.steps=1", resume=True)


@pytest.fixture(scope="module")
def parts(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A small embedding and prior, barely trained."""
    folder = tmp_path_factory.mktemp("parts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "load_head", lambda name: LinearHead())
        dee = load_recipe(DeeRecipe, "dee.debug", ["train.steps=1"])
        train.train_method(
            "dee", dee, train.Job(manifest=manifest, out=folder / "dee", device="cpu"), Silent()
        )
        _vq(manifest, folder / "vq", "train.steps=1")
    return {"dee": str(folder / "dee"), "prior": str(folder / "vq")}


def _generator(*settings: str, stage: int = 1) -> DeepTalkRecipe:
    return load_recipe(DeepTalkRecipe, "deeptalk.debug", list(settings), stage=stage)


def test_the_generator_goes_on_and_knows_its_parts(
    manifest: Path, parts: dict[str, str], tmp_path: Path
) -> None:
    job = train.Job(manifest=manifest, out=tmp_path / "gen", device="cpu")
    recipe = _generator("train.steps=3", "train.save_every=2")
    first = _only(train.train_method("deeptalk", recipe, job, Silent(), parts=parts))
    again = train.Job(**{**vars(job), "resume": True})
    assert first.measures == _only(train.train_method("deeptalk", recipe, again, Silent(), parts={})).measures

    other = {"dee": parts["dee"], "prior": str(tmp_path / "other")}
    _vq(manifest, tmp_path / "other", "train.steps=2")
    with pytest.raises(UsageError, match="other files than those that `prior` names"):
        train.train_method("deeptalk", recipe, again, Silent(), parts=other)


def test_missing_and_mistaken_parts_are_named(manifest: Path, parts: dict[str, str], tmp_path: Path) -> None:
    new = train.Job(manifest=manifest, out=tmp_path / "new")
    recipe = _generator()
    with pytest.raises(UsageError, match="`dee` is missing"):
        train.train_method("deeptalk", recipe, new, Silent(), parts={})
    with pytest.raises(InputError, match="holds a th_vqvae, a dee is needed"):
        train.train_method(
            "deeptalk", recipe, new, Silent(), parts={"dee": parts["prior"], "prior": parts["prior"]}
        )
    with pytest.raises(UsageError, match="`start` is for stage 2"):
        train.train_method("deeptalk", recipe, new, Silent(), parts={"start": parts["dee"]})
    with pytest.raises(UsageError, match="`start` is missing"):
        train.train_method("deeptalk", recipe, new, Silent(), parts={}, stage=2)
    with pytest.raises(UsageError, match="takes `dee` from the model of stage 1"):
        train.train_method(
            "deeptalk", recipe, new, Silent(), parts={"dee": parts["dee"], "start": "x"}, stage=2
        )
    assert not (tmp_path / "new").exists()


def test_the_generator_learns_in_either_stage(manifest: Path, parts: dict[str, str], tmp_path: Path) -> None:
    _vq(manifest, tmp_path / "vq", "train.steps=100", "train.learning_rate=0.003")
    pace = ("train.learning_rate=0.003", "train.log_every=1")
    job = train.Job(manifest=manifest, out=tmp_path / "one", device="cpu")
    chosen = {"dee": parts["dee"], "prior": str(tmp_path / "vq")}
    first = train.train_method("deeptalk", _generator("train.steps=110", *pace), job, Silent(), parts=chosen)
    assert _last_share(tmp_path / "one", "loss") < 0.7
    job = train.Job(manifest=manifest, out=tmp_path / "two", device="cpu")
    chosen = {"start": str(tmp_path / "one")}
    # Long and slow enough to be better whatever the rounding of the processor.
    pace = ("train.learning_rate=0.001", "train.log_every=1")
    second = train.train_method(
        "deeptalk", _generator("train.steps=120", *pace, stage=2), job, Silent(), parts=chosen, stage=2
    )
    assert _only(second).measures["lip_error_mm"] < _only(first).measures["lip_error_mm"]
    assert _last_share(tmp_path / "two", "vertex") < 0.9


def _last_share(run: Path, term: str) -> float:
    """Mean of a term over the last ten logged steps, as a part of that over the first ten."""
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    values = [record[term] for record in records if term in record]
    return sum(values[-10:]) / sum(values[:10])


@pytest.mark.parametrize("kind", ["vqvae", "vae"])
def test_other_priors_carry_the_generator(
    kind: str, manifest: Path, parts: dict[str, str], tmp_path: Path
) -> None:
    prior = load_recipe(PriorRecipe, f"{kind}.debug", ["train.steps=1"])
    train.train_method(
        kind, prior, train.Job(manifest=manifest, out=tmp_path / "prior", device="cpu"), Silent()
    )
    chosen = {"dee": parts["dee"], "prior": str(tmp_path / "prior")}
    job = train.Job(manifest=manifest, out=tmp_path / "gen", device="cpu")
    with pytest.raises(InputError, match=f"holds a {kind}, a th_vqvae is needed"):
        train.train_method("deeptalk", _generator(), job, Silent(), parts=chosen)
    recipe = _generator(f"model.prior.kind={kind}", "train.steps=1")
    made, _ = load_model(_only(train.train_method("deeptalk", recipe, job, Silent(), parts=chosen)).model)
    motion = made.generate(torch.zeros(1, 6400), generator=torch.Generator().manual_seed(0))
    assert motion.shape == (1, 10, 53)


def test_too_many_speakers_are_counted(manifest: Path, parts: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"3 speakers, model\.identity has room for 2"):
        train.train_method(
            "deeptalk",
            _generator("model.identity=2"),
            train.Job(manifest=manifest, out=tmp_path / "gen"),
            Silent(),
            parts=parts,
        )


def test_windows_hold_whole_tokens(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data\.frames is 18, the motion prior needs a multiple of 4"):
        _vq(manifest, tmp_path / "run", "data.frames=18")


def test_a_rate_far_too_high_is_stopped(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(TalkError, match="at step") as caught:
        _vq(
            manifest,
            tmp_path / "run",
            "train.learning_rate=100",
            "train.steps=60",
            "train.warmup_steps=0",
            "train.clip_norm=null",
        )
    assert "learning_rate" in str(caught.value.hint)


@pytest.mark.parametrize("split", ["train", "val"])
def test_fer_needs_expressions_that_it_knows(split: str, tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path / "corpus")
    lines = manifest.read_text().splitlines()
    changed = [
        re.sub(r'"emotion":"\w+"', '"emotion":"calm"', line) if split in line else line for line in lines
    ]
    manifest.write_text("\n".join(changed) + "\n")
    with pytest.raises(InputError, match=f"No clip of the {split} split"):
        train.train_method(
            "fer",
            load_recipe(FerRecipe, "fer.debug"),
            train.Job(manifest=manifest, out=tmp_path / "run", device="cpu"),
            Silent(),
        )
