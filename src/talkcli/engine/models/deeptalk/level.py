"""What motion autoencoders say about themselves and their work.

Axis names: `batch`, `frames` (25 fps), `coeffs` = 53, `tokens` of a level.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor


class Level(NamedTuple):
    """One sequence of tokens, from slow to fast in `Prior.levels`."""

    frames_per_token: int
    outputs: int
    """Numbers that a predictor returns per token: a score for each code, or the numbers of a latent."""
    context: int
    """Width of what the levels before this one tell its predictor; 0 for the first."""
    discrete: bool
    """Codes to choose from, or a latent to regress."""
    name: str
    """The level's name in logs."""


class Coded(NamedTuple):
    """A reconstruction with what it was made from."""

    coeffs: Float[Tensor, "batch frames coeffs"]
    codes: tuple[Int[Tensor, "batch tokens"], ...]
    """The codes of each discrete level; empty for latents."""
    regulariser: Float[Tensor, ""]
    """The pull on the encoder: towards its codes, or of its Gaussians towards the standard one."""


def check_frames(frames: int, multiple: int) -> None:
    """Raise ValueError for a length that would not come back out."""
    if frames % multiple:
        raise ValueError(f"{frames} frames are not a multiple of {multiple}; pad first")
