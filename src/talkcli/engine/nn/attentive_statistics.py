"""Attentive statistics pooling: weighted mean and deviation of a sequence over time, with learned weights.

Axis names: `batch`, `frames`, `width`, `twice` = 2 width. Source: Okabe et al. 2018, here with one set of
weights for all channels.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Variance that is added under the square root, so that the gradient stays finite for a constant sequence.
_LEAST_VARIANCE = 1e-4


class AttentiveStatistics(nn.Module):
    """Pooling that weights frames by their content, so that it can ignore pauses."""

    def __init__(self, width: int, hidden: int = 32) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch twice"]:
        weights = self.score(x).softmax(dim=1)
        mean = (weights * x).sum(dim=1)
        variance = (weights * (x - mean[:, None]).square()).sum(dim=1)
        return torch.cat([mean, (variance + _LEAST_VARIANCE).sqrt()], dim=-1)
