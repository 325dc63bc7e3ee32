"""The published chain at toy sizes: FER, DEE on emotion2vec, the generator on wav2vec 2.0, and its stage 2.

The pretrained networks have random weights here: stand-ins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.model_file import load_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.pipelines.training import data as training_data
from talkcli.engine.pipelines.training import train
from talkcli.engine.pipelines.training.dee import DeeRecipe
from talkcli.engine.pipelines.training.deeptalk import DeepTalkRecipe
from talkcli.engine.pipelines.training.fer import FerRecipe
from talkcli.engine.pipelines.training.prior import PriorRecipe
from talkcli.engine.types import Silent
from tests.engine.fakes import LinearHead, Told, write_corpus

TINY = "width: 24, heads: 2, feedforward: 32, channels: 16, position_groups: 2"
FER = ("model.hidden=[32, 16, 8]", "model.feature_layer=1")
DEE = (
    f"model.speech={{kind: emotion2vec, prenet: 1, depth: 2, frozen_blocks: 1, {TINY}}}",
    "model.expression={kind: fer, hidden: [32, 16, 8], feature_layer: 1}",
    "model.classifier=false",
    "model.fixed_window=false",
    "objective.classifier_weight=0",
)
CONTENT = (
    f"model.content={{kind: wav2vec2, layers: 2, position_kernel: 8, frozen: convolutions, {TINY}}}",
    "model.guess=false",
    "objective.guess_weight=0",
)


@pytest.fixture(autouse=True, scope="module")
def linear_head() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "load_head", lambda name: LinearHead())
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    write_corpus(folder / "corpus")
    return folder


def _job(folder: Path, name: str, *, resume: bool = False) -> train.Job:
    return train.Job(manifest=folder / "corpus", out=folder / name, device="cpu", resume=resume)


def _dee(*settings: str) -> DeeRecipe:
    return load_recipe(DeeRecipe, "dee.debug", [*DEE, "train.steps=2", *settings])


def _generator(*settings: str, stage: int = 1) -> DeepTalkRecipe:
    steps = ("train.steps=2", *settings)
    return load_recipe(DeepTalkRecipe, "deeptalk.debug", [*CONTENT, *steps], stage=stage)


@pytest.fixture(scope="module")
def chain(folder: Path) -> dict[str, train.Trained]:
    """Every model of the chain after two steps."""
    fer = load_recipe(FerRecipe, "fer.debug", [*FER, "train.steps=2"])
    prior = load_recipe(PriorRecipe, "th_vqvae.debug", ["train.steps=2"])
    made = {
        "fer": train.train_method("fer", fer, _job(folder, "fer"), Silent()),
        "dee": train.train_method(
            "dee",
            _dee(),
            _job(folder, "dee"),
            Silent(),
            parts={"emotion2vec": "random", "fer": str(folder / "fer")},
        ),
        "vq": train.train_method("th_vqvae", prior, _job(folder, "vq"), Silent()),
    }
    parts = {"dee": str(folder / "dee"), "prior": str(folder / "vq"), "wav2vec2": "random"}
    made["stage 1"] = train.train_method("deeptalk", _generator(), _job(folder, "one"), Silent(), parts=parts)
    lips = ("objective.lip_reading_weight=1", "objective.swap_lip_reading_weight=1")
    second = _generator("data.size=2", "data.frames=8", *lips, stage=2)
    parts = {"start": str(folder / "one"), "lip_reader": "random"}
    made["stage 2"] = train.train_method(
        "deeptalk", second, _job(folder, "two"), Silent(), parts=parts, stage=2
    )
    trained = {name: value for name, value in made.items() if value is not None}
    assert len(trained) == len(made)
    return trained


def test_every_part_arrives_in_the_generator(chain: dict[str, train.Trained]) -> None:
    fer, dee, one, two = (load_model(chain[name].model)[0] for name in ("fer", "dee", "stage 1", "stage 2"))
    assert torch.equal(dee.fer.layers[0].weight, fer.layers[0].weight)
    for stage in (one, two):
        for part, whole in ((dee, stage.dee), (load_model(chain["vq"].model)[0], stage.prior)):
            held = whole.state_dict()
            assert all(torch.equal(value, held[name]) for name, value in part.state_dict().items())


def test_stages_train_what_is_theirs(chain: dict[str, train.Trained]) -> None:
    one, two = (load_model(chain[name].model)[0].content.encoder.model for name in ("stage 1", "stage 2"))
    frozen = one.feature_extractor.conv_layers[3].conv.weight
    assert torch.equal(frozen, two.feature_extractor.conv_layers[3].conv.weight)
    layers = [
        model.encoder.transformer.layers[0].feed_forward.intermediate_dense.weight for model in (one, two)
    ]
    assert not torch.equal(*layers)


def test_stage_2_logs_every_term(chain: dict[str, train.Trained], folder: Path) -> None:
    record = json.loads((folder / "two" / "log.jsonl").read_text().splitlines()[0])
    wanted = {"loss", "vertex", "consistency", "lip_reading", "swap", "swap_lip_reading"}
    assert wanted <= record.keys()
    run = json.loads((folder / "two" / "run.json").read_text())
    assert run["inputs"]["lip_reader"] == "random"
    assert len(run["inputs"]["start"]) == 64


def test_the_generator_speaks_through_its_encoders(chain: dict[str, train.Trained]) -> None:
    model = load_model(chain["stage 2"].model)[0]
    sound = torch.randn(1, 32_000, generator=torch.Generator().manual_seed(1))
    made = [
        model.generate(samples, sigma=1.0, generator=torch.Generator().manual_seed(0))
        for samples in (sound, sound, -sound.flip(1))
    ]
    assert made[0].shape == (1, 50, 53)
    assert torch.equal(made[0], made[1])
    assert not torch.allclose(made[0], made[2])


def test_published_weights_are_asked_for(
    chain: dict[str, train.Trained], folder: Path, tmp_path: Path
) -> None:
    job = train.Job(manifest=folder / "corpus", out=tmp_path / "run", device="cpu")
    with pytest.raises(UsageError, match="`emotion2vec` is missing") as caught:
        train.train_method("dee", _dee(), job, Silent(), parts={"fer": str(folder / "fer")})
    assert "-small" in str(caught.value.hint)
    with pytest.raises(UsageError, match="`fer` is missing"):
        train.train_method("dee", _dee(), job, Silent(), parts={"emotion2vec": "random"})
    with pytest.raises(InputError, match="There is no weight file"):
        train.train_method(
            "dee",
            _dee(),
            job,
            Silent(),
            parts={"emotion2vec": str(tmp_path / "no.pt"), "fer": str(folder / "fer")},
        )
    with pytest.raises(InputError, match="holds a th_vqvae, a fer is needed"):
        train.train_method(
            "dee", _dee(), job, Silent(), parts={"emotion2vec": "random", "fer": str(folder / "vq")}
        )
    other = _dee("model.expression.bypass_norms=false")
    with pytest.raises(UsageError, match="bypass_norms: True, not False"):
        train.train_method(
            "dee", other, job, Silent(), parts={"emotion2vec": "random", "fer": str(folder / "fer")}
        )
    lips = _generator("objective.lip_reading_weight=1", stage=2)
    with pytest.raises(UsageError, match="`lip_reader` is missing"):
        train.train_method("deeptalk", lips, job, Silent(), parts={"start": str(folder / "one")}, stage=2)
    assert not (tmp_path / "run").exists()


def test_stand_ins_are_called_so(folder: Path, tmp_path: Path) -> None:
    reporter = Told()
    job = train.Job(manifest=folder / "corpus", out=tmp_path / "run", device="cpu")
    train.train_method(
        "dee", _dee("train.steps=1"), job, reporter, parts={"emotion2vec": "random", "fer": "random"}
    )
    assert len(reporter.warnings) == 2
    assert all("stand-in" in warning for warning in reporter.warnings)
