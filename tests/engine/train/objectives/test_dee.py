"""The objective of the emotion embedding: what matches, and what is measured."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.models.dee import Dee, DeeConfig
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.dee import DeeObjective, DeeObjectiveConfig, _uar

CONFIG = DeeConfig(
    front_end=LogMelConfig(num_mels=20),
    audio_width=8,
    audio_layers=1,
    motion_width=8,
    motion_layers=1,
    heads=2,
    feedforward=8,
    embedding=4,
    window=16,
    dropout=0.0,
)


def _batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        features=torch.randn(4, 64, 23, generator=generator),
        coeffs=torch.randn(4, 16, 53, generator=generator),
        emotion=torch.tensor([0, 0, 3, 3]),
        level=torch.tensor([1.0, 0.5, 1.0, 1.0]),
        speaker=torch.tensor([0, 1, 0, -1]),
    )


def _objective(**how: object) -> DeeObjective:
    torch.manual_seed(0)
    return DeeObjective(Dee(CONFIG), DeeObjectiveConfig.model_validate(how))


@pytest.mark.parametrize(("match", "pairs"), [("emotion", 8), ("emotion_and_level", 6), ("pair", 4)])
def test_what_belongs_together(match: str, pairs: int) -> None:
    labels = _objective(match=match)._labels(_batch())
    assert (labels[:, None] == labels[None, :]).sum() == pairs


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    terms = _objective(vib_weight=0.5, classifier_weight=2.0).loss(_batch(), 0.0)
    whole = terms["contrast"] + 0.5 * terms["vib"] + 2 * terms["classified"]
    assert terms["loss"].item() == pytest.approx(whole.item())


def test_mixing_a_clip_with_itself_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = _objective().loss(_batch(), 0.0)
    monkeypatch.setattr(torch, "randperm", lambda count, device: torch.arange(count))
    mixed = _objective(mixup_alpha=1.0).loss(_batch(), 0.0)
    assert mixed["loss"].item() == pytest.approx(plain["loss"].item(), rel=1e-4)


def test_recall_is_averaged_over_emotions_not_clips() -> None:
    true = torch.tensor([0, 0, 0, 0, 3, 3])
    assert _uar(torch.zeros(6, dtype=torch.long), true) == pytest.approx(0.5)
    assert _uar(torch.tensor([0, 0, 0, 1, 3, 0]), true) == pytest.approx((0.75 + 0.5) / 2)
