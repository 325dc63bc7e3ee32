"""t-SNE: places points in the plane so that neighbours stay neighbours (van der Maaten & Hinton 2008).

Exact, for some hundreds of points: time and memory grow with their square. Starts from the first two
principal components (Kobak & Berens 2019), so that the same points give the same picture. Axis names:
`points`, `embedding`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

# Iterations, and the first of them in which attraction is exaggerated; the authors' values.
_STEPS, _EARLY = 500, 150
_EXAGGERATION = 12.0
_LEAST = 1e-12


def tsne(
    points: Float[np.ndarray, "points embedding"], perplexity: float = 30.0
) -> Float[np.ndarray, "points 2"]:
    """Return the points in the plane.

    Args:
        points: Points of any dimension.
        perplexity: Number of neighbours that a point attends to; at most a third of the other points.

    Raises:
        ValueError: For fewer than five points.
    """
    count = len(points)
    if count < 5:
        raise ValueError(f"t-SNE of {count} points")
    points = points.astype(np.float64)
    affinity = _affinities(_squared_distances(points), min(perplexity, (count - 1) / 3))
    placed = _principal_components(points)
    velocity, gains = np.zeros_like(placed), np.ones_like(placed)
    rate = max(count / _EXAGGERATION, 50.0)
    for step in range(_STEPS):
        pull = affinity * (_EXAGGERATION if step < _EARLY else 1.0)
        near = 1 / (1 + _squared_distances(placed))
        np.fill_diagonal(near, 0)
        weight = (pull - np.maximum(near / near.sum(), _LEAST)) * near
        gradient = 4 * (weight.sum(axis=1, keepdims=True) * placed - weight @ placed)
        # A gain grows where a point keeps its direction.
        gains = np.maximum(np.where(gradient * velocity < 0, gains + 0.2, gains * 0.8), 0.01)
        velocity = (0.5 if step < _EARLY else 0.8) * velocity - rate * gains * gradient
        placed = placed + velocity
        placed -= placed.mean(axis=0)
    return placed


def _squared_distances(points: np.ndarray) -> Float[np.ndarray, "points points"]:
    squares = (points**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares[None] - 2 * points @ points.T, 0)
    np.fill_diagonal(distances, 0)
    return distances


def _affinities(distances: np.ndarray, perplexity: float) -> Float[np.ndarray, "points points"]:
    """Return joint probabilities, which sum to 1."""
    count = len(distances)
    others = ~np.eye(count, dtype=bool)
    joint = np.zeros((count, count))
    for index in range(count):
        joint[index, others[index]] = neighbourhood(distances[index, others[index]], perplexity)
    return np.maximum((joint + joint.T) / (2 * count), _LEAST)


def neighbourhood(distances: Float[np.ndarray, "points"], perplexity: float) -> Float[np.ndarray, "points"]:
    """Return the attention of a point to the others, which sums to 1 and has the given perplexity.

    Args:
        distances: Squared distances of the others.
        perplexity: The exponential of the entropy of the attention.
    """
    target = np.log(perplexity)
    row = distances - distances.min()
    low, high, precision = 0.0, np.inf, 1.0 / max(row.mean(), _LEAST)
    for _ in range(64):
        weights = np.exp(-row * precision)
        total = weights.sum()
        entropy = np.log(total) + precision * (row @ weights) / total
        if abs(entropy - target) < 1e-5:
            break
        if entropy > target:
            low, precision = precision, precision * 2 if np.isinf(high) else (precision + high) / 2
        else:
            high, precision = precision, (precision + low) / 2
    return weights / total


def _principal_components(points: np.ndarray) -> Float[np.ndarray, "points 2"]:
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    placed = np.zeros((len(points), 2))
    found = centred @ axes[:2].T
    # The sign of an axis is arbitrary; this fixes it.
    found *= np.sign(found[np.abs(found).argmax(axis=0), range(found.shape[1])] + _LEAST)
    placed[:, : found.shape[1]] = found
    return placed / max(placed[:, 0].std(), _LEAST) * 1e-4
