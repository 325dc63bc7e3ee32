"""Strided convolutions from features at 100 Hz to frames at 25 fps.

Axis names: `batch`, `hops`, `frames`, `channels`, `width`.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class AudioStem(nn.Module):
    """Two halvings of the rate, then a convolution that sees 15 hops further to both sides (200 ms)."""

    def __init__(self, channels: int, width: int, *, dropout: float) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, width, kernel_size=5, stride=2, padding=2)
        self.second = nn.Conv1d(width, width, kernel_size=5, stride=2, padding=2)
        self.third = nn.Conv1d(width, width, kernel_size=5, padding=2)
        self.norm = nn.LayerNorm(width)
        self.dropout = dropout

    def forward(self, features: Float[Tensor, "batch hops channels"]) -> Float[Tensor, "batch frames width"]:
        """`hops` is a multiple of four; `frames` = hops / 4."""
        # The floor of the features is -1; shifted, the zero padding of the convolutions means silence.
        x = F.gelu(self.first(features.transpose(1, 2) + 1))
        x = F.gelu(self.second(x))
        x = x + F.gelu(self.third(x))
        return F.dropout(self.norm(x.transpose(1, 2)), self.dropout, self.training)
