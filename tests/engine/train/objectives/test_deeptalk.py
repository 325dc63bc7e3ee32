"""The objective of the generator: which term reaches which part, and what is masked."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.models.dee import DeeConfig
from talkcli.engine.models.deeptalk import CodePredictor, DeepTalk, DeepTalkConfig
from talkcli.engine.models.th_vqvae import ThVqvaeConfig
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.deeptalk import (
    DeepTalkObjective,
    DeepTalkObjectiveConfig,
    _masked_cross_entropy,
)
from tests.engine.fakes import LinearHead

CONFIG = DeepTalkConfig(
    dee=DeeConfig(
        front_end=LogMelConfig(num_mels=20),
        audio_width=8,
        audio_layers=1,
        motion_width=8,
        motion_layers=1,
        heads=2,
        feedforward=8,
        embedding=4,
        window=16,
    ),
    prior=ThVqvaeConfig(width=8, heads=2, feedforward=8, decoder_feedforward=8, codes=6),
    content_width=8,
    content_layers=1,
    content_heads=2,
    content_feedforward=8,
    width=8,
    heads=2,
    feedforward=8,
    predictor_width=8,
    predictor_layers=1,
    identity=4,
    dropout=0.0,
)


def _batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        features=torch.randn(4, 64, 23, generator=generator),
        coeffs=torch.randn(4, 16, 53, generator=generator),
        emotion=torch.tensor([0, 1, 2, 3]),
        level=torch.ones(4),
        speaker=torch.tensor([0, 1, 2, -1]),
    )


def _gradients(**how: object) -> dict[str, float]:
    """Size of the gradient in every part of the generator under a loss with these weights only."""
    torch.manual_seed(0)
    model = DeepTalk(CONFIG).train()
    config = DeepTalkObjectiveConfig.model_validate({"vertex_weight": 0.0, "vertices": 20, **how})
    DeepTalkObjective(model, config, LinearHead()).loss(_batch(), 0.5)["loss"].backward()
    return {
        name: sum(float(value.grad.abs().sum()) for value in part.parameters() if value.grad is not None)
        for name, part in model.named_children()
    }


@pytest.mark.parametrize(
    "how",
    [{"vertex_weight": 1.0}, {"velocity_weight": 1.0}, {"consistency_weight": 1.0}, {"swap_weight": 1.0}],
)
def test_terms_on_motion_train_everything_but_the_frozen_parts(how: dict[str, float]) -> None:
    found = _gradients(**how)
    assert found.pop("guess") == found.pop("dee") == found.pop("prior") == 0
    assert all(size > 0 for size in found.values()), found


def test_the_plain_guess_trains_no_predictor() -> None:
    found = _gradients(guess_weight=1.0)
    assert found["guess"] > 0
    assert found["content"] > 0
    assert found["top_predictor"] == found["bottom_predictor"] == 0


@pytest.mark.parametrize(("share", "taught"), [(0.0, False), (1.0, True)])
def test_bottom_codes_are_scored_under_true_top_codes_only(share: float, taught: bool) -> None:
    assert (_gradients(code_weight=1.0, teacher_share=share)["bottom_predictor"] > 0) == taught


def test_windows_left_out_do_not_count() -> None:
    logits, codes = torch.randn(3, 5, 6), torch.randint(6, (3, 5))
    chosen = torch.tensor([False, True, False])
    alone = torch.nn.functional.cross_entropy(logits[1], codes[1])
    assert _masked_cross_entropy(logits, codes, chosen).item() == pytest.approx(alone.item())
    assert _masked_cross_entropy(logits, codes, torch.zeros(3, dtype=torch.bool)).item() == 0


def test_nobody_hides_the_speaker() -> None:
    def vertex(share: float, speaker: int) -> float:
        torch.manual_seed(0)
        objective = DeepTalkObjective(
            DeepTalk(CONFIG).train(), DeepTalkObjectiveConfig(nobody_share=share, vertices=20), LinearHead()
        )
        batch = _batch()
        batch.speaker.fill_(speaker)
        return objective.loss(batch, 0.0)["guess"].item()

    assert vertex(1.0, 0) == vertex(1.0, 2)
    assert vertex(0.0, 0) != vertex(0.0, 2)


def test_predictors_have_the_released_size() -> None:
    config = DeepTalkConfig()
    sizes = [
        sum(value.numel() for value in CodePredictor(inputs, config).parameters())
        for inputs in (4 * config.width, 2 * config.width + config.prior.width)
    ]
    assert sizes == [2_571_776, 2_539_008]
