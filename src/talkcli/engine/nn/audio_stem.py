"""Strided convolutions that turn features at 100 Hz into tokens at a lower rate.

Axis names: `batch`, `hops` (100 Hz), `tokens`, `channels`, `width`.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class AudioStem(nn.Module):
    """Layers that halve the rate `halvings` times, then a convolution over five tokens; none is causal."""

    def __init__(self, channels: int, width: int, *, halvings: int, dropout: float) -> None:
        super().__init__()
        self.halve = nn.ModuleList(
            nn.Conv1d(channels if index == 0 else width, width, kernel_size=5, stride=2, padding=2)
            for index in range(halvings)
        )
        self.mix = nn.Conv1d(width, width, kernel_size=5, padding=2)
        self.norm = nn.LayerNorm(width)
        self.dropout = dropout

    def forward(self, features: Float[Tensor, "batch hops channels"]) -> Float[Tensor, "batch tokens width"]:
        """Return the tokens of the features; their number is hops / 2^halvings, rounded up."""
        # The features' lowest value is -1; adding 1 makes the zero padding of the convolutions mean silence.
        x = features.transpose(1, 2) + 1
        for layer in self.halve:
            x = F.gelu(layer(x))
        x = x + F.gelu(self.mix(x))
        return F.dropout(self.norm(x.transpose(1, 2)), self.dropout, self.training)
