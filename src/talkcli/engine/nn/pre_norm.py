"""Transformer encoder that normalises the input of each part, as in CodeTalker's auto-encoder of motion.

Axis names: `batch`, `frames`, `width`, `last` (frames at the end). Source: CodeTalker (Xing et al. 2023),
facts H.2. Three details are those of its code: attention scores are scaled by the root of the whole width and
not of a head's, queries, keys and values have no bias, and no norm follows the last layer.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class PreNormTransformer(nn.Module):
    """Stack of pre-norm layers without a mask: every frame attends to all frames."""

    def __init__(self, width: int, *, layers: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.layers: Any = nn.ModuleList(PreNormLayer(width, heads, feedforward) for _ in range(layers))

    def forward(
        self, x: Float[Tensor, "batch frames width"], last: int | None = None
    ) -> Float[Tensor, "batch last width"]:
        """Return all frames, or only the `last` ones, which saves most of the last layer."""
        *most, final = self.layers
        for layer in most:
            x = layer(x)
        return final(x, last)


class PreNormLayer(nn.Module):
    """Self-attention and a two-layer perceptron; each reads a normalised copy and adds its output."""

    def __init__(self, width: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.project_in = nn.Linear(width, 3 * width, bias=False)
        self.project_out = nn.Linear(width, width)
        self.norm_feedforward = nn.LayerNorm(width)
        self.expand = nn.Linear(width, feedforward)
        self.contract = nn.Linear(feedforward, width)

    def forward(
        self, x: Float[Tensor, "batch frames width"], last: int | None = None
    ) -> Float[Tensor, "batch last width"]:
        """Return the frames after the layer; with `last`, only that many at the end."""
        width = x.shape[-1]
        inside = self.norm_attention(x)
        if last is None:
            query, key, value = self.project_in(inside).chunk(3, dim=-1)
        else:
            x = x[:, -last:]
            rows = self.project_in.weight.split([width, 2 * width])
            query = F.linear(inside[:, -last:], rows[0])
            key, value = F.linear(inside, rows[1]).chunk(2, dim=-1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (query, key, value)
        )
        attended = F.scaled_dot_product_attention(query, key, value, scale=width**-0.5)
        x = x + self.project_out(attended.transpose(1, 2).flatten(2))
        inside = self.expand(self.norm_feedforward(x))
        return x + self.contract(F.gelu(inside, approximate="tanh"))


def standardise_over_time(
    x: Float[Tensor, "batch frames width"], epsilon: float = 1e-5
) -> Float[Tensor, "batch frames width"]:
    """Give every channel of each row of the batch mean 0 and variance 1 over its frames.

    This is an instance norm without parameters; unlike torch's it takes a single frame, which becomes 0.
    """
    variance, mean = torch.var_mean(x, 1, correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + epsilon)
