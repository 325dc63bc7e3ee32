"""The learning rate over a training, and its length."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from talkcli.engine.train.schedule import LoopConfig


def test_warm_up_then_a_cosine() -> None:
    config = LoopConfig(learning_rate=2.0, warmup_steps=4, final_share=0.1)
    assert [config.rate_at(step, 24) for step in range(5)] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert config.rate_at(14, 24) == pytest.approx((2.0 + 0.2) / 2)
    assert config.rate_at(24, 24) == pytest.approx(0.2)


def test_constant_after_the_warm_up() -> None:
    config = LoopConfig(learning_rate=2.0, warmup_steps=2, schedule="constant")
    assert [config.rate_at(step, 100) for step in (0, 1, 2, 50, 99)] == [1.0, 2.0, 2.0, 2.0, 2.0]
    assert LoopConfig(learning_rate=2.0, warmup_steps=0).rate_at(0, 10) == 2.0


def test_length_in_steps_or_epochs() -> None:
    assert LoopConfig(steps=7).num_steps(epoch=2.5) == 7
    assert LoopConfig(steps=7, epochs=3).num_steps(epoch=2.5) == 8
    assert LoopConfig(epochs=0.001).num_steps(epoch=2.5) == 1


def test_optimisers() -> None:
    weight = [torch.nn.Parameter(torch.zeros(1))]
    adam = LoopConfig(optimiser="adam", betas=(0.9, 0.999), weight_decay=0).make_optimiser(weight)
    assert type(adam) is torch.optim.Adam
    assert adam.defaults["betas"] == (0.9, 0.999)
    assert type(LoopConfig().make_optimiser(weight)) is torch.optim.AdamW


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"accumulate": 0}, {"betas": (1.0, 0.9)}, {"precision": "fp16"}, {"clip_norm": 0}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        LoopConfig(**wrong)
