"""The objective of the emotion embedding: what matches, what is mixed, and what is measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.errors import UsageError
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.dee_config import CoefficientsConfig, DeeConfig
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives import dee as module
from talkcli.engine.train.objectives.dee import DeeObjective, DeeObjectiveConfig
from talkcli.engine.types import EMOTIONS

SIZES: dict[str, Any] = {
    "audio_width": 8,
    "audio_layers": 1,
    "motion_width": 8,
    "motion_layers": 1,
    "heads": 2,
    "feedforward": 8,
    "embedding": 4,
    "dropout": 0.0,
}
SMALL = DeeConfig(
    speech=LogMelConfig(num_mels=20), expression=CoefficientsConfig(), window=16, classifier=True, **SIZES
)
DIRECTED = SMALL.model_copy(update={"anchors": True, "pooling": "statistics"})
NARROW = DeeConfig(
    speech=Emotion2vecConfig(
        width=8, channels=8, prenet=1, depth=2, heads=2, feedforward=8, positions=1, position_groups=2,
        frozen_blocks=1, dropout=0.0, layer_drop=0.0,
    ),
    expression=FerConfig(hidden=(6,), feature_layer=0),
    **SIZES,
)  # fmt: skip


def _batch(config: DeeConfig = SMALL) -> Batch:
    generator = torch.Generator().manual_seed(0)
    name, steps = ("waveform", (4, 640 * 12, 1)) if config is NARROW else ("log_mel", (4, 64, 23))
    return Batch(
        sound={name: torch.randn(steps, generator=generator)},
        motion=torch.randn(4, 16, 53, generator=generator),
        emotion=torch.tensor([0, 0, 3, 3]),
        level=torch.tensor([1.0, 0.5, 1.0, 1.0]),
        speaker=torch.tensor([0, 1, 0, -1]),
        phones=torch.full((4, 32), -1),
    )


def _objective(config: DeeConfig = SMALL, **how: object) -> DeeObjective:
    torch.manual_seed(0)
    return DeeObjective(Dee(config), DeeObjectiveConfig.model_validate(how))


@pytest.mark.parametrize(("match", "pairs"), [("emotion", 8), ("emotion_and_level", 6), ("pair", 4)])
def test_what_belongs_together(match: str, pairs: int) -> None:
    batch = _batch()
    targets = _objective(match=match)._targets(batch, torch.ones(4), torch.arange(4))
    assert targets.sum() == pairs
    assert torch.equal(targets.diagonal(), torch.ones(4))


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    terms = _objective(DIRECTED, vib_weight=0.5, classifier_weight=2.0, spread_weight=3.0)(
        _batch(DIRECTED), 0.0
    )
    whole = terms["contrast"] + 0.5 * terms["vib"] + 2 * terms["classified"] + 3 * terms["spread"]
    assert terms["loss"].item() == pytest.approx(whole.item())


def test_a_classifier_that_is_not_there_has_no_weight() -> None:
    assert set(_objective(NARROW)(_batch(NARROW), 0.0)) == {"loss", "contrast", "vib"}
    with pytest.raises(UsageError, match="model has no classifier"):
        _objective(NARROW, classifier_weight=0.5)
    with pytest.raises(UsageError, match="needs a model with a classifier and anchors"):
        _objective(SMALL, spread_weight=1.0)


def test_the_error_to_be_expected_is_that_of_the_labels_by_their_chances(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objective = _objective(DIRECTED, spread_weight=1.0)
    objective.model.anchors[:2] = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0]])
    chances = torch.tensor([[0.75, 0.25, *[0.0] * 7]])
    monkeypatch.setattr(objective.model, "classify", lambda mean: chances.log())
    # The mean lies on the first anchor; the second is a squared distance of two away.
    assert objective._error(torch.tensor([[1.0, 0, 0, 0]])).item() == pytest.approx(0.25 * 2, abs=1e-5)


def test_the_variance_of_speech_learns_from_the_spread_alone() -> None:
    objective = _objective(DIRECTED, spread_weight=1.0)
    bias = objective.model.audio_encoder.log_variance.project.bias
    terms = objective(_batch(DIRECTED), 0.0)
    (contrast,) = torch.autograd.grad(terms["contrast"], bias, retain_graph=True, allow_unused=True)
    (spread,) = torch.autograd.grad(terms["spread"], bias)
    assert contrast is None
    assert spread.abs().max() > 0


def test_anchors_move_in_training_only() -> None:
    objective = _objective(DIRECTED)
    objective.eval()(_batch(DIRECTED), 0.0)
    assert not objective.model.anchors.any()
    objective.train()(_batch(DIRECTED), 0.0)
    # Labels 0 and 3 are in the batch.
    assert objective.model.anchors.norm(dim=-1)[[0, 3, 1]].tolist() == pytest.approx([1, 1, 0])


def test_a_step_reaches_everything_that_trains() -> None:
    objective = _objective(NARROW)
    objective(_batch(NARROW), 0.0)["loss"].backward()
    for name, value in objective.model.named_parameters():
        assert (value.grad is not None) == value.requires_grad, name


@pytest.mark.parametrize("config", [SMALL, NARROW], ids=["log_mel", "waveform"])
def test_mixing_a_clip_with_itself_changes_nothing(
    config: DeeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = _objective(config)(_batch(config), 0.0)
    monkeypatch.setattr(torch, "randperm", lambda count, device: torch.arange(count))
    mixed = _objective(config, mixup_alpha=1.0)(_batch(config), 0.0)
    assert mixed["loss"].item() == pytest.approx(plain["loss"].item(), rel=1e-3)


def test_a_mixture_belongs_to_both_by_their_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    objective, batch = _objective(mixup_alpha=2.0), _batch()
    monkeypatch.setattr(torch, "randperm", lambda count, device: torch.tensor([2, 1, 0, 3]))
    torch.manual_seed(1)
    sound, share, partner = objective._mix(batch)
    part = share[0].item()
    assert 0 < part < 1
    own, other = batch.sound["log_mel"][0], batch.sound["log_mel"][2]
    assert torch.allclose(sound["log_mel"][0], part * own + (1 - part) * other)
    targets = objective._targets(batch, share, partner)
    assert targets[0].tolist() == pytest.approx([part, part, 1 - part, 1 - part])
    assert targets[1].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("how", [{"match": "pair"}, {"match": "emotion", "mixup_alpha": 2.0}], ids=str)
def test_two_processes_see_the_whole_batch(how: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """`gather` is played: first what either process hands in is kept, then either gets all of it."""
    objective, batch = _objective(**how), _batch()

    def neighbours(count: int, device: torch.device) -> torch.Tensor:
        return torch.arange(count).view(-1, 2).flip(1).flatten()

    monkeypatch.setattr(torch, "randperm", neighbours)

    def step(rows: Batch) -> float:
        torch.manual_seed(0)
        return objective(rows, 0.0)["contrast"].item()

    halves = [batch.rows(0, 2), batch.rows(2, 4)]
    kept: list[list[torch.Tensor]] = []
    for half in halves:
        kept.append([])
        monkeypatch.setattr(module, "gather", lambda rows: kept[-1].append(rows) or rows)
        step(half)
    found = []
    for half in halves:
        everyone = iter([torch.cat(both) for both in zip(*kept, strict=True)])
        monkeypatch.setattr(module, "gather", lambda rows, everyone=everyone: next(everyone))
        found.append(step(half))
    monkeypatch.setattr(module, "gather", lambda rows: rows)
    assert found == pytest.approx([step(batch)] * 2, rel=1e-5)


@torch.no_grad()
def test_measures() -> None:
    plain = _objective(NARROW).eval().validate([_batch(NARROW), _batch(NARROW)])
    both = (plain["speech_to_motion"] + plain["motion_to_speech"]) / 2
    assert plain["score"] == pytest.approx(1 - both)
    assert "speech_uar" not in plain
    classified = _objective().eval().validate([_batch()])
    both = (classified["speech_uar"] + classified["speech_to_motion"]) / 2
    assert classified["score"] == pytest.approx(1 - both)


def test_the_surer_half_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = _objective().eval()
    sure = torch.tensor([-5.0, -4.0, -3.0, -2.0])[:, None].expand(4, 4)
    monkeypatch.setattr(objective.model, "embed_speech", lambda sound: Gaussian(torch.eye(4), sure))
    # The first two are right, of the others one.
    named = F.one_hot(torch.tensor([0, 0, 3, 1]), len(EMOTIONS)).float()
    monkeypatch.setattr(objective.model, "classify", lambda mean: named)
    assert objective.validate([_batch()])["confident_ratio"] == 2


MOODY = DIRECTED.model_copy(update={"moods": True, "speech_encoder": "functionals"})


def test_the_level_is_learnt_from_speech_that_is_not_neutral() -> None:
    objective = _objective(MOODY, level_weight=2.0, classifier_weight=1.0)
    batch = _batch(MOODY)
    terms = objective(batch, 0.0)
    whole = terms["contrast"] + 1e-6 * terms["vib"] + terms["classified"] + 2 * terms["level"]
    assert terms["loss"].item() == pytest.approx(whole.item(), rel=1e-5)
    # The first two rows are neutral: their levels do not count.
    objective.eval()
    calm = replace(batch, level=torch.tensor([0.0, 0.0, 1.0, 1.0]))
    assert objective(calm, 0.0)["level"].item() == pytest.approx(objective(batch, 0.0)["level"].item())
    with pytest.raises(UsageError, match="model with moods"):
        _objective(DIRECTED, level_weight=1.0)


def test_validation_calibrates_moods() -> None:
    objective = _objective(MOODY)
    objective.model.anchors[:4] = torch.eye(4)
    objective.eval()
    with torch.no_grad():
        found = objective.validate([_batch(MOODY)])
    assert {"neutral_kept", "others_lost"} <= set(found)
    assert objective.model.moods.bias.abs().max() > 0
