"""The seven strided convolutions of wav2vec 2.0 and emotion2vec, which turn samples into steps.

Axis names: `batch`, `samples` (16 kHz), `steps` (50 Hz after the last convolution), `channels`. Channels are
the last axis, so that a convolution is one matrix product. A clip is computed in blocks. The values between
the layers then stay in the processor's cache, and their memory does not grow with the clip. The result equals
that of the whole clip at once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

# Kernel size and stride of each convolution; together they make one step of 320 samples.
CONVOLUTIONS = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))
# Distance of two steps, and length of the receptive field of a step, in samples.
_HOP = 320
_RECEPTIVE_FIELD = 400
# Number of steps of a block: two seconds, whose largest layer has 13 MB.
_BLOCK = 100


def at_least_one_step(samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch padded"]:
    """Return `samples`, extended with silence to the 400 samples that one step needs."""
    return F.pad(samples, (0, max(0, _RECEPTIVE_FIELD - samples.shape[1])))


def num_steps(samples: int) -> int:
    """Return the number of steps of `samples`; fewer than 400 count as 400, as `at_least_one_step` has it."""
    return (max(samples, _RECEPTIVE_FIELD) - _RECEPTIVE_FIELD) // _HOP + 1


def in_blocks(
    samples: Float[Tensor, "batch samples"], layers: Callable[[Tensor], Tensor]
) -> Float[Tensor, "batch steps channels"]:
    """Apply `layers`, a function from samples to steps, to all samples in blocks, and join the results.

    Neighbouring blocks overlap by the samples that neighbouring steps share.
    """
    count = num_steps(samples.shape[1])
    pieces = []
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count) - 1
        pieces.append(layers(samples[:, first * _HOP : last * _HOP + _RECEPTIVE_FIELD]))
    return torch.cat(pieces, dim=1)


def windows(
    steps: Float[Tensor, "batch steps channels"], kernel: int, stride: int
) -> Float[Tensor, "batch outputs kernel_channels"]:
    """Return the inputs of each output of a convolution, as one row.

    Args:
        steps: Input of the convolution.
        kernel: Size of its kernel in steps.
        stride: Distance of two outputs in steps.
    """
    return steps.unfold(1, kernel, stride).transpose(2, 3).flatten(2)


def flat(weight: Float[Tensor, "outputs inputs kernel"]) -> Float[Tensor, "outputs kernel_inputs"]:
    """Return the weight of a convolution as the matrix that multiplies the rows of `windows`."""
    return weight.transpose(1, 2).flatten(1)


def grouped(
    steps: Float[Tensor, "batch steps width"],
    weight: Float[Tensor, "width group kernel"],
    bias: Float[Tensor, "width"],
) -> Float[Tensor, "batch steps width"]:
    """Apply a grouped convolution that is centred on each step and keeps the number of steps.

    An even kernel reaches one step further back than forward.

    Args:
        steps: Input of the convolution.
        weight: Weight of the convolution; `group` is the number of channels of a group.
        bias: Bias of the convolution.
    """
    padding, groups = weight.shape[2] // 2, weight.shape[0] // weight.shape[1]
    # As a 2-D convolution: only for these PyTorch takes channels on the last axis without a copy.
    image = steps.mT.unsqueeze(2)
    seen = F.conv2d(image, weight.unsqueeze(2), bias, padding=(0, padding), groups=groups)
    return seen.squeeze(2).mT[:, : steps.shape[1]]
