"""Positional encoding that repeats after a period (PPE), of FaceFormer and its successors.

Axis names: `frames`, `width`. Source: FaceFormer, section 3.3. The codes do not distinguish a frame from
that of a period earlier, so that they have no end.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.nn.transformer import sinusoids


def periodic_positions(
    frames: int, width: int, period: int, *, first: int = 0, device: torch.device | str = "cpu"
) -> Float[Tensor, "frames width"]:
    """Return the codes of `frames` frames from number `first` on.

    Args:
        frames: Number of frames.
        width: Number of channels.
        period: Number of frames after which the codes repeat.
        first: Number of the first frame.
        device: Device of the result.
    """
    places = torch.arange(first, first + frames, device=device) % period
    return sinusoids(period, width, device)[places]
