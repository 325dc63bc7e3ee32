"""Recall: the share of correct predictions, in which every label counts alike.

Axis names: `clips`, `labels`; labels are numbers from 0. Source: unweighted average recall (UAR), the measure
of emotion recognition since the Interspeech 2009 challenge (Schuller et al. 2009). It is a share in [0, 1];
its chance level is one over the number of labels.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from talkcli.engine.metrics.undefined import UndefinedMetricError


def confusion(
    named: Int[np.ndarray, "clips"], true: Int[np.ndarray, "clips"], num_labels: int
) -> Int[np.ndarray, "labels labels"]:
    """Return the number of clips for each pair of labels: true labels along rows, predicted labels along
    columns.

    Args:
        named: Predicted label of each clip.
        true: True label of each clip.
        num_labels: Number of labels that exist.
    """
    counts = np.zeros((num_labels, num_labels), dtype=np.int64)
    np.add.at(counts, (true, named), 1)
    return counts


def recalls(named: Int[np.ndarray, "clips"], true: Int[np.ndarray, "clips"]) -> dict[int, float]:
    """Return the share of clips with a correct prediction for each true label that occurs, in ascending
    order.
    """
    return {int(label): float((named[true == label] == label).mean()) for label in np.unique(true)}


def unweighted_average_recall(named: Int[np.ndarray, "clips"], true: Int[np.ndarray, "clips"]) -> float:
    """Return the mean of `recalls`. Raises UndefinedMetricError without clips."""
    if len(true) == 0:
        raise UndefinedMetricError("there are no clips")
    return float(np.mean(list(recalls(named, true).values())))
