"""Generalised pooling."""

import pytest
import torch

from talkcli.engine.nn.gpo import Gpo


@pytest.mark.parametrize("frames", [1, 7, 60])
def test_weights_sum_to_one(frames: int) -> None:
    torch.manual_seed(0)
    assert Gpo().weights(frames).sum().item() == pytest.approx(1)


def test_order_in_time_does_not_matter_and_constants_stay() -> None:
    torch.manual_seed(0)
    pool, x = Gpo(), torch.randn(3, 20, 4)
    assert torch.allclose(pool(x), pool(x[:, torch.randperm(20)]), atol=1e-6)
    assert torch.allclose(pool(torch.full((1, 9, 4), 2.5)), torch.full((1, 4), 2.5))


def test_weights_are_exact_under_autocast() -> None:
    torch.manual_seed(0)
    pool = Gpo()
    with torch.autocast("cpu", torch.bfloat16):
        reduced = pool.weights(60)
    assert torch.equal(reduced, pool.weights(60))
