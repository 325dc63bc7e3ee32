"""Attentive statistics: weighted mean and deviation over time."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.nn.attentive_statistics import AttentiveStatistics


def test_with_even_weights_it_is_mean_and_deviation() -> None:
    pool = AttentiveStatistics(3)
    torch.nn.init.zeros_(pool.score[2].weight)
    x = torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(0))
    mean, deviation = pool(x).chunk(2, dim=-1)
    assert torch.allclose(mean, x.mean(1), atol=1e-5)
    assert torch.allclose(deviation, x.std(1, correction=0), atol=1e-3)


def test_order_in_time_does_not_matter_but_what_is_heeded_does() -> None:
    torch.manual_seed(0)
    pool = AttentiveStatistics(3)
    x = torch.randn(1, 20, 3)
    assert torch.allclose(pool(x), pool(x.flip(1)), atol=1e-5)
    # Attention on the first channel alone: the frame that is loud in it is all that counts.
    with torch.no_grad():
        pool.score[0].weight.zero_()[0, 0] = 1
        pool.score[0].bias.zero_()
        pool.score[2].weight.zero_()[0, 0] = 100
    x[0, :, 0] = -5
    x[0, 7, 0] = 5
    assert torch.allclose(pool(x)[0, :3], x[0, 7], atol=1e-4)


def test_what_stands_still_has_a_finite_gradient() -> None:
    x = torch.ones(1, 5, 3, requires_grad=True)
    out = AttentiveStatistics(3)(x)
    out.sum().backward()
    assert torch.isfinite(x.grad).all()
    assert out[0, 3:].tolist() == pytest.approx([0.01] * 3)
