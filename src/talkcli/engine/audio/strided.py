"""The seven strided convolutions with which wav2vec 2.0 and emotion2vec turn samples into steps.

Axis names: `batch`, `samples` (16 kHz), `steps`, `channels`. Channels come last, so that a convolution is one
matrix product. A clip is worked off in blocks: what lies between the layers stays in the cache, memory does
not grow with the clip, and the result is that of the whole clip at once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

# Kernel and stride: one step for 320 samples.
CONVOLUTIONS = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))
# Samples from one step to the next, and what one step sees.
_HOP = 320
_RECEPTIVE_FIELD = 400
# Steps worked off together: two seconds, whose widest layer has 13 MB.
_BLOCK = 100


def at_least_one_step(samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch padded"]:
    """Return `samples`, with silence behind them if they are too few."""
    return F.pad(samples, (0, max(0, _RECEPTIVE_FIELD - samples.shape[1])))


def in_blocks(
    samples: Float[Tensor, "batch samples"], layers: Callable[[Tensor], Tensor]
) -> Float[Tensor, "batch steps channels"]:
    """Return `layers` of all samples, which it gets in pieces that overlap by what neighbouring steps
    share.
    """
    num_steps = (samples.shape[1] - _RECEPTIVE_FIELD) // _HOP + 1
    pieces = []
    for first in range(0, num_steps, _BLOCK):
        last = min(first + _BLOCK, num_steps) - 1
        pieces.append(layers(samples[:, first * _HOP : last * _HOP + _RECEPTIVE_FIELD]))
    return torch.cat(pieces, dim=1)


def windows(
    steps: Float[Tensor, "batch steps channels"], kernel: int, stride: int
) -> Float[Tensor, "batch outputs kernel_channels"]:
    """Return what each output of a convolution sees."""
    return steps.unfold(1, kernel, stride).transpose(2, 3).flatten(2)


def flat(weight: Float[Tensor, "outputs inputs kernel"]) -> Float[Tensor, "outputs kernel_inputs"]:
    """Return the weight of a convolution, as the matrix that belongs to `windows`."""
    return weight.transpose(1, 2).flatten(1)


def grouped(
    steps: Float[Tensor, "batch steps width"],
    weight: Float[Tensor, "width group kernel"],
    bias: Float[Tensor, "width"],
) -> Float[Tensor, "batch steps width"]:
    """Return a grouped convolution centred on every step; of an even kernel, the larger half looks back."""
    padding, groups = weight.shape[2] // 2, weight.shape[0] // weight.shape[1]
    # In two dimensions, because only there PyTorch takes channels that come last as they are.
    image = steps.mT.unsqueeze(2)
    seen = F.conv2d(image, weight.unsqueeze(2), bias, padding=(0, padding), groups=groups)
    return seen.squeeze(2).mT[:, : steps.shape[1]]
