"""Cosines between two sets of embeddings: how well pairs of one label are told from pairs of two.

Axis names: `queries`, `others` (items of the two sets), `embedding`, `bins`. Source: DEEPTalk (supplement,
Figure D), which shows both histograms.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.metrics.undefined import UndefinedMetricError

# Edges of the histograms' bins: cosines lie in [-1, 1].
_BINS = 40


def cosines(
    first: Float[np.ndarray, "queries embedding"], second: Float[np.ndarray, "others embedding"]
) -> Float[np.ndarray, "queries others"]:
    """Return the cosine of each pair of items. Raises UndefinedMetricError for an embedding of zeros."""
    units = []
    for items in (first, second):
        lengths = np.linalg.norm(items.astype(np.float64), axis=1, keepdims=True)
        if (lengths == 0).any():
            raise UndefinedMetricError("an embedding is zero")
        units.append(items / lengths)
    return units[0] @ units[1].T


def cosine_histograms(
    found: Float[np.ndarray, "queries others"],
    first_labels: Int[np.ndarray, "queries"],
    second_labels: Int[np.ndarray, "others"],
) -> tuple[Float[np.ndarray, "bins"], Float[np.ndarray, "bins"], Float[np.ndarray, "_"]]:
    """Return the shares of pairs of one label and of pairs of two labels in each bin, and the bins' edges.

    Raises UndefinedMetricError without a pair of either kind.
    """
    alike = first_labels[:, None] == second_labels[None]
    if alike.all() or not alike.any():
        raise UndefinedMetricError("needs pairs of one label and pairs of two")
    edges = np.linspace(-1.0, 1.0, _BINS + 1)
    inside = np.clip(found, -1, 1)
    shares = [np.histogram(inside[chosen], bins=edges)[0] / chosen.sum() for chosen in (alike, ~alike)]
    return shares[0], shares[1], edges


def overlap(one: Float[np.ndarray, "bins"], other: Float[np.ndarray, "bins"]) -> float:
    """Return the share that two histograms have in common: 1 for equal ones, 0 for separate ones."""
    return float(np.minimum(one, other).sum())
