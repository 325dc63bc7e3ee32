"""Attention biases that decrease with distance: ALiBi, and its variant with steps of a period.

Axis names: `heads`, `frames`. Sources: Press et al. 2022 (ALiBi); FaceFormer (periodic bias). DEEPTalk uses
both symmetrically, since its models attend to the whole utterance.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def slopes(heads: int) -> list[float]:
    """Return one slope per head: 2^(-8/n), 2^(-16/n), ... for n heads, where n is a power of two.

    For another number of heads add every second slope of the next power of two.
    """
    below = 1 << (heads.bit_length() - 1)
    values = [2.0 ** (-8 * (index + 1) / below) for index in range(below)]
    borrowed = [2.0 ** (-4 * (index + 1) / below) for index in range(0, 2 * (heads - below), 2)]
    return values + borrowed


def distance_bias(
    heads: int, frames: int, *, period: int = 1, device: torch.device | str = "cpu"
) -> Float[Tensor, "heads frames frames"]:
    """Return the bias that is added to attention scores: -slope * floor(|i - j| / period).

    Args:
        heads: Number of attention heads.
        frames: Number of frames of the sequence.
        period: Number of frames per step of the bias; 1 is ALiBi itself.
        device: Device of the result.
    """
    positions = torch.arange(frames, device=device)
    distance = (positions[:, None] - positions[None, :]).abs() // period
    return -torch.tensor(slopes(heads), device=device)[:, None, None] * distance
