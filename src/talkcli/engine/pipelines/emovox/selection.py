"""Which of many scored clips to keep: those that reach a threshold, or the best for a number of seconds.

Axis names: `clips`, `anchors`, `embedding`. A clip whose score is NaN is never chosen.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

# Cosines beyond these digits are noise of float32; a threshold that was printed chooses the same clips again.
DIGITS = 6


def nearest(
    means: Float[np.ndarray, "clips embedding"], anchors: Float[np.ndarray, "anchors embedding"]
) -> tuple[Float[np.ndarray, "clips"], Int[np.ndarray, "clips"]]:
    """Return the highest cosine of each clip to an anchor, to six digits, and which anchor it is (the first
    of equal ones). All vectors have unit length; there is at least one anchor.
    """
    cosines = means @ anchors.T
    indices = cosines.argmax(axis=1)
    best = np.take_along_axis(cosines, indices[:, None], axis=1)[:, 0]
    return np.round(best.astype(np.float64), DIGITS), indices


def reaching(scores: Float[np.ndarray, "clips"], threshold: float) -> Bool[np.ndarray, "clips"]:
    """Return clips that score `threshold` or more."""
    return scores >= threshold


def best_within(
    scores: Float[np.ndarray, "clips"], seconds: Float[np.ndarray, "clips"], budget_s: float
) -> Bool[np.ndarray, "clips"]:
    """Return clips in order of score, the earlier one first where scores are equal, up to the first that
    would make them longer than `budget_s` together.
    """
    order = np.argsort(-scores, kind="stable")
    order = order[: np.count_nonzero(~np.isnan(scores))]
    # A millionth of slack, so that a budget of exactly what is there takes all of it.
    fits = np.cumsum(seconds[order], dtype=np.float64) <= budget_s * (1 + 1e-6)
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[order[fits]] = True
    return chosen
