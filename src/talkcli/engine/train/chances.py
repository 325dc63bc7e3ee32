"""How often each training clip is drawn: by its length, by emotion, or by emotion within a corpus.

Axis names: `clips`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

# By length; every emotion equally often; or see `chances`.
Balance = bool | Literal["corpus"]
# Share of windows from corpora with several emotions, where there are others too. Corpora of one emotion
# would otherwise teach that their sound is the sign of that emotion.
_EMOTIONAL_SHARE = 0.8


def chances(
    lengths: Int[np.ndarray, "clips"],
    emotions: Int[np.ndarray, "clips"],
    corpora: Sequence[str],
    speakers: Sequence[str],
    balance: Balance,
) -> Float[np.ndarray, "clips"]:
    """Return the probability with which each clip is drawn.

    Args:
        lengths: Number of frames of each clip.
        emotions: Index of the emotion of each clip.
        corpora: Name of the corpus of each clip.
        speakers: Name of the speaker of each clip.
        balance: False draws every frame equally often, true every emotion. `corpus` gives all corpora with
            several emotions the same share, together `_EMOTIONAL_SHARE`; it draws each of their emotions
            equally often, so that the corpus does not tell the emotion, and within an emotion each speaker.
            Corpora with one emotion share the rest.
    """
    weights = lengths.astype(np.float64)
    if balance is False:
        return weights / weights.sum()
    if balance is True:
        _share_out(weights, list(map(str, emotions)))
        return weights / weights.sum()
    felt = [f"{corpus} {emotion}" for corpus, emotion in zip(corpora, emotions, strict=True)]
    _share_out(weights, [f"{one} {speaker}" for one, speaker in zip(felt, speakers, strict=True)])
    _share_out(weights, felt)
    _share_out(weights, corpora)
    several = {
        corpus
        for corpus in set(corpora)
        if len({emotion for name, emotion in zip(corpora, emotions, strict=True) if name == corpus}) > 1
    }
    rich = np.array([corpus in several for corpus in corpora])
    for rows, share in ((rich, _EMOTIONAL_SHARE), (~rich, 1 - _EMOTIONAL_SHARE)):
        if rows.any():
            weights[rows] *= share / weights[rows].sum()
    return weights / weights.sum()


def _share_out(weights: Float[np.ndarray, "clips"], groups: Sequence[str]) -> None:
    """Scale `weights` in place, so that those of every group have the sum 1."""
    _, places = np.unique(np.array(groups), return_inverse=True)
    weights /= np.bincount(places, weights)[places]
