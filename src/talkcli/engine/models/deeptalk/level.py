"""The levels and the reconstructions of motion autoencoders.

Axis names: `batch`, `frames` (25 fps), `coeffs` = 53, `tokens` of a level.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor


class Level(NamedTuple):
    """One sequence of tokens; `Prior.levels` lists them from slow to fast."""

    frames_per_token: int
    """Number of frames (25 fps) per token."""
    outputs: int
    """Number of values that a predictor returns per token: a logit for each code, or the size of a latent."""
    context: int
    """Width of the context that the previous levels give this level's predictor; 0 for the first level."""
    discrete: bool
    """Whether tokens are codes, which a predictor chooses, or latents, which it regresses."""
    name: str
    """Name of the level in logs."""


class Coded(NamedTuple):
    """A reconstruction, with its codes and its regulariser."""

    coeffs: Float[Tensor, "batch frames coeffs"]
    codes: tuple[Int[Tensor, "batch tokens"], ...]
    """Codes of each discrete level; empty for latents."""
    regulariser: Float[Tensor, ""]
    """Loss on the encoder: commitment to its codes, or divergence of its Gaussians from the standard one."""


def check_frames(frames: int, multiple: int) -> None:
    """Raise ValueError unless `frames` is a multiple of `multiple`: decoding would change the length."""
    if frames % multiple:
        raise ValueError(f"{frames} frames are not a multiple of {multiple}; pad first")
