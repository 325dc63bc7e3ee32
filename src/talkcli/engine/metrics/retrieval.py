"""Retrieval by emotion: whether neighbours in a joint space have the same label.

Axis names: `queries`, `gallery`. Distances may have any scale; smaller is nearer. The gallery contains a
query's own counterpart like any other item. Sources: recall@k as in cross-modal retrieval (DEEPTalk, section
4; PCME++, Chun 2024), where a hit is an item with the query's label; forced choice (m-alternative) as in
psychophysics (Green & Swets 1966). A few items that are near to everything can win every query; forced choice
suffers less from this, since it draws candidates.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.metrics.undefined import UndefinedMetricError

Distances = Float[np.ndarray, "queries gallery"]
QueryLabels = Int[np.ndarray, "queries"]
GalleryLabels = Int[np.ndarray, "gallery"]

# Number of points of the Gauss-Legendre integration. 16 points integrate polynomials up to degree 31 exactly;
# the degree here is the number of the other labels.
_POINTS = 16


def recall_at(k: int, distances: Distances, queries: QueryLabels, gallery: GalleryLabels) -> float:
    """Return the share of queries that have an item of their label among the `k` nearest.

    Of equally near items the first ones in the gallery count.

    Args:
        k: Number of nearest items.
        distances: Distance of each query from each item.
        queries: Label of each query.
        gallery: Label of each item.

    Raises:
        UndefinedMetricError: Without queries, or with fewer than `k` items.
    """
    if len(queries) == 0 or len(gallery) < k:
        raise UndefinedMetricError(f"{len(queries)} queries and {len(gallery)} items, needs 1 and {k}")
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return float((gallery[nearest] == queries[:, None]).any(axis=1).mean())


def chance_at(k: int, queries: QueryLabels, gallery: GalleryLabels) -> float:
    """Return the expected `recall_at` of random distances: `k` items are drawn without replacement.

    Args:
        k: Number of items drawn; all of a gallery that holds fewer.
        queries: Label of each query.
        gallery: Label of each item.
    """
    others = np.array([(gallery != label).sum() for label in queries])
    missed = np.ones(len(queries))
    for drawn in range(min(k, len(gallery))):
        missed *= np.maximum(others - drawn, 0) / (len(gallery) - drawn)
    return float(1 - missed.mean())


def forced_choice(distances: Distances, queries: QueryLabels, gallery: GalleryLabels) -> float:
    """Return the expected share of correct forced choices, that is for infinitely many draws.

    A choice draws one random item of every label, and takes the one nearest to the query, at random among
    equally near ones. It is correct when the item has the query's label. The chance level is one over the
    number of labels in the gallery.

    Args:
        distances: Distance of each query from each item.
        queries: Label of each query.
        gallery: Label of each item.

    Raises:
        UndefinedMetricError: Without queries, and when a query's label has no item.
    """
    labels = np.unique(gallery)
    if len(queries) == 0 or not np.isin(queries, labels).all():
        raise UndefinedMetricError("there are no queries, or a query without an item of its label")
    won = np.concatenate(
        [_won(distances[queries == label], int(label), gallery) for label in np.unique(queries)]
    )
    return float(won.mean())


def _won(distances: Distances, label: int, gallery: GalleryLabels) -> Float[np.ndarray, "queries"]:
    """Return the probability that each query chooses correctly; all queries have the label `label`.

    With K equally near rivals a random choice is correct in 1 / (K + 1) of the draws, which is the integral
    of t^K from 0 to 1. K is a sum of independent draws, so the mean of t^K is a product over rivals.
    """
    right = distances[:, gallery == label, None]
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    points, weights = (points + 1) / 2, weights / 2
    chances = np.ones((*right.shape[:2], _POINTS))
    for rival in np.unique(gallery[gallery != label]):
        against = distances[:, None, gallery == rival]
        farther, equal = (against > right).mean(axis=2), (against == right).mean(axis=2)
        chances *= farther[:, :, None] + equal[:, :, None] * points
    return (chances @ weights).mean(axis=1)
