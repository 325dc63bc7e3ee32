"""Confidence: whether a predicted variance knows when the prediction is right.

Axis names: `clips`, `embedding`.
A measure of our own, after the risk-coverage curves of selective prediction (El-Yaniv & Wiener 2010) at half
coverage. A ratio without unit: 1 says that the variance means nothing, below 1 that it misleads.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.metrics.undefined import UndefinedMetricError


def confident_ratio(
    right: Bool[np.ndarray, "clips"], log_variance: Float[np.ndarray, "clips embedding"]
) -> float:
    """Return how many times as often the half with the smaller log-variance (mean over dimensions) is right
    as the other half; the middle one of an odd number is in neither.

    Undefined for fewer than two clips, and where the other half is never right.
    """
    half = len(right) // 2
    if half == 0:
        raise UndefinedMetricError("needs two clips or more")
    order = np.argsort(log_variance.mean(axis=1), kind="stable")
    sure, unsure = right[order[:half]].mean(), right[order[len(right) - half :]].mean()
    if unsure == 0:
        raise UndefinedMetricError("the half with the larger variance is never right")
    return float(sure / unsure)
