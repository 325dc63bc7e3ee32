"""Recall: how often labels are named right, every label counting alike.

Axis names: `clips`, `labels` (as many as there are, and each is a number below that).
Source: unweighted average recall (UAR), the measure of emotion recognition since the Interspeech 2009
challenge (Schuller et al. 2009). A share in [0, 1]; chance is one over the number of labels.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from talkcli.engine.metrics.undefined import UndefinedMetricError


def confusion(
    named: Int[np.ndarray, "clips"], true: Int[np.ndarray, "clips"], num_labels: int
) -> Int[np.ndarray, "labels labels"]:
    """Return numbers of clips: true labels along rows, what they were named along columns."""
    counts = np.zeros((num_labels, num_labels), dtype=np.int64)
    np.add.at(counts, (true, named), 1)
    return counts


def recalls(named: Int[np.ndarray, "clips"], true: Int[np.ndarray, "clips"]) -> dict[int, float]:
    """Return, for each label that occurs, in order, the share of its clips with that prediction."""
    return {int(label): float((named[true == label] == label).mean()) for label in np.unique(true)}


def unweighted_average_recall(named: Int[np.ndarray, "clips"], true: Int[np.ndarray, "clips"]) -> float:
    """Return mean of `recalls`. Undefined without clips."""
    if len(true) == 0:
        raise UndefinedMetricError("there are no clips")
    return float(np.mean(list(recalls(named, true).values())))
