"""Standardisation of channels, with means and deviations that are saved with the weights.

Axis names: `frames`, `coeffs`.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Standardise(nn.Module):
    """Layer that returns (x - mean) / deviation per channel; it is the identity until `fit`."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def fit(self, data: Float[Tensor, "frames coeffs"]) -> None:
        """Set mean and deviation from `data`.

        Deviations are at least 5 % of the largest, so that the noise of a channel that hardly moves stays
        small.
        """
        deviation = data.std(0)
        floor = 0.05 * deviation.max().clamp_min(1e-6)
        self.mean.copy_(data.mean(0))
        self.deviation.copy_(torch.maximum(deviation, floor))

    def forward(self, x: Float[Tensor, "*frames coeffs"]) -> Float[Tensor, "*frames coeffs"]:
        return (x - self.mean) / self.deviation

    def undo(self, x: Float[Tensor, "*frames coeffs"]) -> Float[Tensor, "*frames coeffs"]:
        return x * self.deviation + self.mean
