"""Retrieval by emotion: whether what is near in a joint space has the same label.

Axis names: `queries`, `gallery`; distances are of any scale, smaller is nearer. A query's own counterpart is
in the gallery like any other. Sources: recall@k as in cross-modal retrieval (DEEPTalk, section 4; PCME++,
Chun 2024), a hit being an item of the query's label; forced choice (m-alternative) as in psychophysics (Green
& Swets 1966). Few items that are near to everything can win every query; forced choice, which draws
candidates, suffers less.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.metrics.undefined import UndefinedMetricError

Distances = Float[np.ndarray, "queries gallery"]
QueryLabels = Int[np.ndarray, "queries"]
GalleryLabels = Int[np.ndarray, "gallery"]

# Gauss-Legendre with so many points integrates polynomials of twice as many coefficients exactly.
_POINTS = 16


def recall_at(k: int, distances: Distances, queries: QueryLabels, gallery: GalleryLabels) -> float:
    """Return share of the queries that have an item of their label among the `k` nearest; of equally near
    items the first count. Undefined without queries, or with fewer than `k` items.
    """
    if len(queries) == 0 or len(gallery) < k:
        raise UndefinedMetricError(f"{len(queries)} queries and {len(gallery)} items, needs 1 and {k}")
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return float((gallery[nearest] == queries[:, None]).any(axis=1).mean())


def chance_at(k: int, queries: QueryLabels, gallery: GalleryLabels) -> float:
    """Give what `recall_at` expects of distances that mean nothing: `k` items are drawn without replacement,
    or all of a gallery that holds fewer.
    """
    others = np.array([(gallery != label).sum() for label in queries])
    missed = np.ones(len(queries))
    for drawn in range(min(k, len(gallery))):
        missed *= np.maximum(others - drawn, 0) / (len(gallery) - drawn)
    return float(1 - missed.mean())


def forced_choice(distances: Distances, queries: QueryLabels, gallery: GalleryLabels) -> float:
    """Return share of choices that are right where each query meets one random item of every label and the
    nearest is chosen, by lot among equally near ones. The value for infinitely many draws; chance is one
    over the number of labels in the gallery.

    Undefined without queries, and where a query's label has no item.
    """
    labels = np.unique(gallery)
    if len(queries) == 0 or not np.isin(queries, labels).all():
        raise UndefinedMetricError("there are no queries, or a query without an item of its label")
    won = np.concatenate(
        [_won(distances[queries == label], int(label), gallery) for label in np.unique(queries)]
    )
    return float(won.mean())


def _won(distances: Distances, label: int, gallery: GalleryLabels) -> Float[np.ndarray, "queries"]:
    """Return probability that each of the queries, all of `label`, chooses right.

    With K equally near rivals the lot falls right in 1 / (K + 1) of the draws, which is the integral of t^K
    from 0 to 1. K is a sum of independent draws, so that the mean of t^K is a product over rivals.
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
