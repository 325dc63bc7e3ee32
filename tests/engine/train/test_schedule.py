"""The learning rate over a training, and its length."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from talkcli.engine.train.schedule import LoopConfig


def test_warm_up_then_a_cosine() -> None:
    config = LoopConfig(learning_rate=2.0, warmup_steps=4, final_share=0.1)
    assert [config.rate_at(step, 24, 1.0) for step in range(5)] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert config.rate_at(14, 24, 1.0) == pytest.approx((2.0 + 0.2) / 2)
    assert config.rate_at(24, 24, 1.0) == pytest.approx(0.2)


def test_constant_after_the_warm_up() -> None:
    config = LoopConfig(learning_rate=2.0, warmup_steps=2, schedule="constant")
    assert [config.rate_at(step, 100, 1.0) for step in (0, 1, 2, 50, 99)] == [1.0, 2.0, 2.0, 2.0, 2.0]
    assert LoopConfig(learning_rate=2.0, warmup_steps=0).rate_at(0, 10, 1.0) == 2.0


def test_a_warm_up_from_zero() -> None:
    """As in the released code: step k of a warm-up of w has k / w of the rate."""
    config = LoopConfig(learning_rate=2.0, warmup_steps=4, schedule="constant", warmup_from_zero=True)
    assert [config.rate_at(step, 24, 1.0) for step in range(6)] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]


@pytest.mark.parametrize(("epochs", "epoch"), [(5, 4.0), (3, 2.5), (1, 7.0), (200, 2.3)])
def test_what_moves_once_an_epoch(epochs: int, epoch: float) -> None:
    """Rates as of torch's CosineAnnealingLR stepped after every epoch, temperatures as of linspace."""
    config = LoopConfig(
        learning_rate=2.0, warmup_steps=0, final_share=0.1, epochs=epochs, moves_every="epoch"
    )
    steps = config.num_steps(epoch)
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs, eta_min=0.2)
    rates, share = [], torch.linspace(0, 1, epochs).tolist()
    for _ in range(epochs):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        cosine.step()
    for step in range(steps):
        now = int(step / epoch)
        assert config.rate_at(step, steps, epoch) == pytest.approx(rates[now])
        assert config.progress_at(step, steps, epoch) == pytest.approx(share[now], abs=1e-6)


def test_an_epoch_shorter_than_a_step() -> None:
    config = LoopConfig(learning_rate=2.0, warmup_steps=0, epochs=4, moves_every="epoch")
    assert [config.progress_at(step, config.num_steps(0.5), 0.5) for step in range(2)] == [0, 1]


def test_what_moves_every_step() -> None:
    config = LoopConfig(learning_rate=2.0, warmup_steps=0)
    assert [config.progress_at(step, 4, 2.0) for step in range(4)] == [0, 0.25, 0.5, 0.75]


def test_length_in_steps_or_epochs() -> None:
    assert LoopConfig(steps=7).num_steps(epoch=2.5) == 7
    assert LoopConfig(epochs=3).num_steps(epoch=2.5) == 8
    assert LoopConfig().num_steps(epoch=2.5) == 20_000
    assert LoopConfig(epochs=0.001).num_steps(epoch=2.5) == 1


def test_optimisers() -> None:
    weight = [torch.nn.Parameter(torch.zeros(1))]
    config = LoopConfig(optimiser="adam", betas=(0.9, 0.999), weight_decay=0, epsilon=1e-2)
    adam = config.make_optimiser(weight)
    assert type(adam) is torch.optim.Adam
    assert adam.defaults["eps"] == 1e-2
    assert adam.defaults["betas"] == (0.9, 0.999)
    assert type(LoopConfig().make_optimiser(weight)) is torch.optim.AdamW


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epsilon": 0},
        {"steps": 7, "epochs": 3},
        {"learning_rate": 1e300},
        {"final_share": 1.5},
        {"accumulate": 0},
        {"betas": (1.0, 0.9)},
        {"precision": "fp16"},
        {"clip_norm": 0},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        LoopConfig(**wrong)


def test_halving_is_torchs_step_schedule() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=2.0)
    steps = torch.optim.lr_scheduler.StepLR(optimiser, step_size=3, gamma=0.5)
    config = LoopConfig(learning_rate=2.0, warmup_steps=0, schedule="halving", halve_every=3)
    for epoch in range(10):
        for step in range(4 * epoch, 4 * epoch + 4):
            assert config.rate_at(step, 40, epoch=4.0) == steps.get_last_lr()[0]
        optimiser.step()
        steps.step()
