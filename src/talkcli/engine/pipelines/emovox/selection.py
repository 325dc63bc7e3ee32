"""Selection among scored clips: those that reach a threshold, or the best ones up to a total duration.

Axis names: `clips`, `anchors`, `embedding`. A clip whose score is NaN is never chosen.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

# Number of decimals of a score. Further decimals are rounding errors of float32; without them, a threshold
# that was printed chooses the same clips again.
DIGITS = 6


def nearest(
    means: Float[np.ndarray, "clips embedding"], anchors: Float[np.ndarray, "anchors embedding"]
) -> tuple[Float[np.ndarray, "clips"], Int[np.ndarray, "clips"]]:
    """Return each clip's highest cosine to an anchor, to six decimals, and the index of that anchor.

    Of anchors with equal cosines, the first counts. All vectors have unit length; there is at least one
    anchor.
    """
    cosines = means @ anchors.T
    indices = cosines.argmax(axis=1)
    best = np.take_along_axis(cosines, indices[:, None], axis=1)[:, 0]
    return np.round(best.astype(np.float64), DIGITS), indices


def reaching(scores: Float[np.ndarray, "clips"], threshold: float) -> Bool[np.ndarray, "clips"]:
    """Return a mask of the clips whose score is `threshold` or more."""
    return scores >= threshold


def best_within(
    scores: Float[np.ndarray, "clips"], seconds: Float[np.ndarray, "clips"], budget_s: float
) -> Bool[np.ndarray, "clips"]:
    """Return a mask of the clips with the highest scores that together are no longer than `budget_s`.

    The function takes clips in the order of their scores and stops at the first that does not fit.

    Args:
        scores: Score of each clip; of equal scores, the earlier clip comes first.
        seconds: Duration of each clip in seconds.
        budget_s: Largest total duration in seconds.
    """
    order = np.argsort(-scores, kind="stable")
    order = order[: np.count_nonzero(~np.isnan(scores))]
    # Allow a millionth more, so that a budget equal to the total duration takes all clips.
    fits = np.cumsum(seconds[order], dtype=np.float64) <= budget_s * (1 + 1e-6)
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[order[fits]] = True
    return chosen
