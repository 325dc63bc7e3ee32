"""The fast linear layer is the plain one, with and without gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from talkcli.engine.nn.dense import dense, linear


@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("shape", [(7, 24), (2, 7, 24), (2, 3, 7, 24), (1, 24)])
def test_it_is_a_linear_layer(shape: tuple[int, ...], gelu: bool) -> None:
    torch.manual_seed(0)
    x, layer = torch.randn(shape), nn.Linear(24, 10)
    wanted = F.gelu(layer(x)) if gelu else layer(x)
    torch.testing.assert_close(linear(x, layer, gelu=gelu), wanted)
    with torch.inference_mode():
        torch.testing.assert_close(linear(x, layer, gelu=gelu), wanted, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(dense(x, layer.weight), x @ layer.weight.T, atol=1e-6, rtol=1e-5)


def test_rows_that_share_numbers_are_read_right() -> None:
    steps, weight = torch.randn(1, 21, 8), torch.randn(5, 24)
    seen = steps.unfold(1, 3, 2).transpose(2, 3).flatten(2)
    with torch.inference_mode():
        torch.testing.assert_close(dense(seen, weight), F.linear(seen.contiguous(), weight))


def test_gradients_reach_input_and_weights() -> None:
    layer = nn.Linear(6, 4)
    x = torch.randn(3, 6, requires_grad=True)
    linear(x, layer, gelu=True).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is not None
    layer.requires_grad_(False)
    assert linear(x, layer).requires_grad
    assert not linear(x.detach(), layer).requires_grad


def test_autocast_decides_the_precision() -> None:
    layer = nn.Linear(6, 4)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert linear(torch.randn(3, 6), layer, gelu=True).dtype == torch.bfloat16
    assert linear(torch.randn(3, 6).double(), layer.double()).dtype == torch.float64
