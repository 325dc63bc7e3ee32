"""What a generator makes of speech, step by step: what it hears, what it predicts, and a take with its codes.

Axis names are those of `models/deeptalk/deeptalk.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from talkcli.engine.models.deeptalk.gaussian import Gaussian

# Chosen codes of every window, in each of every level from slow to fast.
Codes = list[list[Int[Tensor, "batch _"]]]


class Predicted(NamedTuple):
    """Motion with what it was made from, one entry per level of the prior."""

    coeffs: Float[Tensor, "batch frames coeffs"]
    outputs: list[Float[Tensor, "batch _ outputs"]]
    """Logits over codes, or latents."""
    choices: list[Float[Tensor, "batch _ outputs"]]
    """One-hot codes, or the latents themselves."""
    guess: Float[Tensor, "batch frames coeffs"] | None
    """The plain regression, of a model that has one."""


class Heard(NamedTuple):
    """Speech after the encoders: as many takes as wanted can be drawn from it."""

    windows: Sequence[Float[Tensor, "batch _ width"]]
    """Content of every window."""
    contacts: Float[Tensor, "batch frames contacts"] | None
    """Probability that lips, and lip and teeth, touch; None of an encoder that knows no phones."""
    emotion: Gaussian
    frames: int
    """Number of frames to return."""
    padded: int
    """Number of frames to make."""


class Take(NamedTuple):
    """One performance and the codes it was made from."""

    coeffs: Float[Tensor, "batch frames coeffs"]
    codes: Codes

    @property
    def slow(self) -> Codes:
        """The codes without those of the fastest level."""
        return [levels[:-1] for levels in self.codes]
