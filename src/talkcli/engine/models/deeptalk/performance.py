"""Intermediate and final results of a generator: encoded speech, predicted motion, and a take with its codes.

Axis names are those of `models/deeptalk/deeptalk.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.types import Emotion

# Chosen codes: for every window, those of each level from slow to fast.
Codes = list[list[Int[Tensor, "batch _"]]]


class Predicted(NamedTuple):
    """Predicted motion, and the tokens from which it was decoded: one entry per level of the prior."""

    coeffs: Float[Tensor, "batch frames coeffs"]
    outputs: list[Float[Tensor, "batch _ outputs"]]
    """Logits over codes, or latents, of each level."""
    choices: list[Float[Tensor, "batch _ outputs"]]
    """One-hot codes, or the latents themselves, of each level."""
    guess: Float[Tensor, "batch frames coeffs"] | None
    """Coefficients by the direct regression; None unless the model has one."""


class Heard(NamedTuple):
    """Encoded speech, from which any number of takes can be drawn."""

    windows: Sequence[Float[Tensor, "batch _ width"]]
    """Content features of every window."""
    contacts: Float[Tensor, "batch frames contacts"] | None
    """Probability that lips, and that lip and teeth, touch; None unless the encoder predicts phones."""
    lingual: Float[Tensor, "batch steps lingual"] | None
    """Probability of each sound of the tongue at 50 Hz; None unless the encoder predicts phones."""
    phones: Float[Tensor, "batch steps phones"] | None
    """Probability of each phone at 50 Hz; None unless the encoder predicts phones."""
    emotion: Gaussian
    """Emotion of the speech."""
    frames: int
    """Number of frames to return."""
    padded: int
    """Number of frames to generate, a multiple of the prior's."""
    asked: Emotion | None = None
    """Emotion that was asked for in place of the speech's own."""
    fixed: Float[Tensor, "batch embedding"] | None = None
    """Emotion of every take, instead of a draw."""


class Take(NamedTuple):
    """One performance, and the codes from which it was decoded."""

    coeffs: Float[Tensor, "batch frames coeffs"]
    codes: Codes

    @property
    def slow(self) -> Codes:
        """The codes without those of the fastest level."""
        return [levels[:-1] for levels in self.codes]
