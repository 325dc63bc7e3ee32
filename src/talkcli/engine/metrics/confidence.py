"""Confidence: how much more often predictions with a small predicted variance are correct.

Axis names: `clips`, `embedding`. A measure of our own, after the risk-coverage curves of selective prediction
(El-Yaniv & Wiener 2010) at half coverage. The ratio has no unit: at 1 the variance says nothing about
correctness, below 1 it misleads.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.metrics.undefined import UndefinedMetricError


def confident_ratio(
    right: Bool[np.ndarray, "clips"], log_variance: Float[np.ndarray, "clips embedding"]
) -> float:
    """Return the share of correct predictions in the surer half of the clips, divided by that of the other
    half.

    The surer half has the smaller log-variances (mean over dimensions). The middle one of an odd number of
    clips is in neither half.

    Args:
        right: Whether the prediction for each clip is correct.
        log_variance: Predicted log-variance of each clip's embedding.

    Raises:
        UndefinedMetricError: For fewer than two clips, and when no prediction of the other half is correct.
    """
    half = len(right) // 2
    if half == 0:
        raise UndefinedMetricError("needs two clips or more")
    order = np.argsort(log_variance.mean(axis=1), kind="stable")
    sure, unsure = right[order[:half]].mean(), right[order[len(right) - half :]].mean()
    if unsure == 0:
        raise UndefinedMetricError("the half with the larger variance is never right")
    return float(sure / unsure)
