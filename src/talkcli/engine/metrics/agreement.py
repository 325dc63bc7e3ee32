"""Agreement of two series of ratings, as EMOTE's repository scores valence and arousal.

Axis names: `items`, `columns`. Source: inferno (utils/emotion_metrics.py; numpy versions). The values have no
unit, except the root mean square error.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Ratings = Float[np.ndarray, "items"]


def rmse(true: Ratings, predicted: Ratings) -> float:
    """Return the root mean square error, in the ratings' unit."""
    return float(np.sqrt(np.square(true - predicted).mean()))


def sagr(true: Ratings, predicted: Ratings) -> float:
    """Return the share of items whose signs agree."""
    return float((np.sign(true) == np.sign(predicted)).mean())


def pcc(true: Ratings, predicted: Ratings) -> float:
    """Return Pearson's correlation."""
    return float(np.corrcoef(true, predicted)[0, 1])


def ccc(true: Ratings, predicted: Ratings, ddof: int = 0) -> float:
    """Return Lin's concordance correlation.

    Args:
        true: True ratings.
        predicted: Predicted ratings.
        ddof: What is subtracted from the number of items in the deviations: 0, or 1 as in the torch version.
    """
    spreads = [ratings.std(ddof=ddof) for ratings in (true, predicted)]
    apart = np.square(true.mean() - predicted.mean())
    together = 2 * pcc(true, predicted) * spreads[0] * spreads[1]
    return float(together / (spreads[0] ** 2 + spreads[1] ** 2 + apart))


def icc(
    true: Float[np.ndarray, "items columns"], predicted: Float[np.ndarray, "items columns"]
) -> Float[np.ndarray, "columns"]:
    """Return the intraclass correlation ICC(3,1) of each column (Shrout & Fleiss 1979)."""
    both = np.stack([true, predicted])
    items, means = true.shape[0], both.mean(axis=0)
    between = 2 * np.square(means - both.mean(axis=(0, 1))).sum(axis=0) / (items - 1)
    raters = both.mean(axis=1, keepdims=True) - both.mean(axis=(0, 1))
    rest = np.square(both - means - raters).sum(axis=(0, 1)) / (items - 1)
    return (between - rest) / (between + rest)
