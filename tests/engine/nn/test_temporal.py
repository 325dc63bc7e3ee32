"""Fewer frames and back."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.nn.temporal import Expand, Squash


class _Nothing(torch.nn.Module):
    def forward(self, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return x


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_rates(halvings: int) -> None:
    sizes = {"heads": 2, "feedforward": 8, "dropout": 0.0, "halvings": halvings}
    torch.manual_seed(0)
    few = Squash(5, 8, **sizes).eval()(torch.randn(2, 24, 5))
    assert few.shape == (2, 24 // 2**halvings, 8)
    assert Expand(8, **sizes).eval()(few).shape == (2, 24, 8)


def test_squashing_is_as_published() -> None:
    """Edges replicated, stride 2, leaky by 0.2; then again without a stride and the larger of two."""
    torch.manual_seed(0)
    squash = Squash(3, 4, heads=2, feedforward=8, dropout=0.0, halvings=2).eval()
    squash.linear = torch.nn.Identity()
    squash.attention = _Nothing()
    x = torch.randn(1, 8, 3)

    def convolve(x: torch.Tensor, conv: torch.nn.Conv1d, stride: int) -> torch.Tensor:
        frames = [
            sum(x[min(max(at + tap - 2, 0), len(x) - 1)] @ conv.weight[:, :, tap].T for tap in range(5))
            + conv.bias
            for at in range(0, len(x), stride)
        ]
        # Batch normalisation at its start divides by sqrt(1 + 1e-5).
        return torch.nn.functional.leaky_relu(torch.stack(frames), 0.2) / (1 + 1e-5) ** 0.5

    half = convolve(x[0], squash.conv, 2)
    full = convolve(half, squash.more[0][0], 1)
    wanted = torch.stack([torch.maximum(full[0], full[1]), torch.maximum(full[2], full[3])])
    assert torch.allclose(squash(x)[0], wanted, atol=1e-5)


def test_expanding_says_frames_twice() -> None:
    torch.manual_seed(0)
    expand = Expand(4, heads=2, feedforward=8, dropout=0.0, halvings=2).eval()
    expand.attention = _Nothing()
    made = expand(torch.randn(1, 3, 4))
    assert made.shape == (1, 12, 4)
    assert torch.equal(made[:, 0::2], made[:, 1::2])
    assert not torch.allclose(made[:, 0], made[:, 2])
