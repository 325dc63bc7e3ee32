"""Transformer encoder whose attention takes an additive bias.

Axis names: `batch`, `frames`, `width`, `heads`. Source: Vaswani et al. 2017, with layer normalisation after
each part as in DEEPTalk.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class TransformerLayer(nn.Module):
    """Self-attention and a two-layer perceptron, each added to its input and layer-normalised."""

    def __init__(
        self, width: int, *, heads: int, feedforward: int, dropout: float, gelu: bool = True
    ) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.project_in = nn.Linear(width, 3 * width)
        self.project_out = nn.Linear(width, width)
        self.expand = nn.Linear(width, feedforward)
        self.contract = nn.Linear(feedforward, width)
        self.norm_attention = nn.LayerNorm(width)
        self.norm_feedforward = nn.LayerNorm(width)
        self.activation = F.gelu if gelu else F.relu

    def forward(
        self, x: Float[Tensor, "batch frames width"], bias: Float[Tensor, "heads frames frames"] | None = None
    ) -> Float[Tensor, "batch frames width"]:
        batch, frames, width = x.shape
        query, key, value = (
            part.view(batch, frames, self.heads, width // self.heads).transpose(1, 2)
            for part in self.project_in(x).chunk(3, dim=-1)
        )
        # The attention weights have no dropout, since it rules out the fused kernels.
        mask = None if bias is None else bias.to(query.dtype)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        attended = self.project_out(attended.transpose(1, 2).reshape(batch, frames, width))
        x = self.norm_attention(x + self._drop(attended))
        changed = self.contract(self._drop(self.activation(self.expand(x))))
        return self.norm_feedforward(x + self._drop(changed))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class Transformer(nn.Module):
    """Stack of transformer layers that share one attention bias."""

    def __init__(
        self, width: int, *, layers: int, heads: int, feedforward: int, dropout: float, gelu: bool = True
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TransformerLayer(width, heads=heads, feedforward=feedforward, dropout=dropout, gelu=gelu)
            for _ in range(layers)
        )

    def forward(
        self, x: Float[Tensor, "batch frames width"], bias: Float[Tensor, "heads frames frames"] | None = None
    ) -> Float[Tensor, "batch frames width"]:
        for layer in self.layers:
            x = layer(x, bias)
        return x


def sinusoids(length: int, width: int, device: torch.device | str = "cpu") -> Float[Tensor, "length width"]:
    """Return the positional encoding of Vaswani et al.: even columns sines, odd ones cosines, base 10,000."""
    rates = torch.exp(torch.arange(0, width, 2, device=device) * (-math.log(10_000.0) / width))
    angles = torch.arange(length, device=device)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]
