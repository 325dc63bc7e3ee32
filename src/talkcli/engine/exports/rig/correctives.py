"""Correctives: a few targets whose sums, by weights from 0 to 1, come near given displacements.

Axis names: `poses`, `numbers` (coordinates of all vertices), `targets`. Least squares over targets and
weights in turn, with the weights bounded: semi-nonnegative matrix factorisation (Ding, Li and Jordan 2010)
with a bound above. It begins at poses that occur, each the one that those before it explain least.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_ROUNDS, _SWEEPS, _LAST_SWEEPS = 20, 12, 60
# As a part of the mean square of the weights: keeps targets that hardly occur from growing without bound.
_RIDGE = 1e-6


def bounded_weights(
    poses: Float[np.ndarray, "poses numbers"], targets: Float[np.ndarray, "targets numbers"]
) -> Float[np.ndarray, "poses targets"]:
    """Return the weights in [0, 1] by which the sum of `targets` comes nearest to each pose."""
    start = np.zeros((len(poses), len(targets)))
    return _descend(poses @ targets.T, targets @ targets.T, start, _LAST_SWEEPS)


def fit_correctives(
    poses: Float[np.ndarray, "poses numbers"], most: int, tolerance: float
) -> Float[np.ndarray, "targets numbers"]:
    """Return at most `most` targets for `poses`; fewer where a root mean square of `tolerance` is reached."""
    # Targets are sums of poses, so that products of poses are all that is needed until the end.
    inner = poses @ poses.T
    squares = np.diag(inner)
    chosen: list[int] = []
    weights = np.zeros((len(poses), 0))
    left = squares
    while len(chosen) < most and left.sum() > tolerance**2 * poses.size:
        chosen.append(int(left.argmax()))
        products, gram = inner[:, chosen], inner[np.ix_(chosen, chosen)]
        weights = _descend(products, gram, np.pad(weights, ((0, 0), (0, 1))), _SWEEPS)
        left = squares + np.einsum("pt,pt->p", weights, weights @ gram - 2 * products)
    if not chosen:
        return poses[:0]
    for _ in range(_ROUNDS):
        normal = weights.T @ weights
        normal[np.diag_indices_from(normal)] += _RIDGE * (np.trace(normal) / len(normal) + 1e-12)
        parts = np.linalg.solve(normal, weights.T)
        # The greatest weight of each is 1, so that the bounds leave no target unused.
        scale = weights.max(axis=0)
        scale[scale == 0] = 1.0
        parts *= scale[:, None]
        products = inner @ parts.T
        weights = _descend(products, parts @ products, weights / scale, _SWEEPS)
    targets: Float[np.ndarray, "targets numbers"] = parts @ poses
    return targets


def _descend(
    products: Float[np.ndarray, "poses targets"],
    gram: Float[np.ndarray, "targets targets"],
    weights: Float[np.ndarray, "poses targets"],
    sweeps: int,
) -> Float[np.ndarray, "poses targets"]:
    """Return weights after coordinate descent of all poses at once, from `weights` on."""
    # Columns that lie together in memory are several times as fast.
    found, products = weights.copy(order="F"), np.asfortranarray(products)
    for _ in range(sweeps):
        for target in np.flatnonzero(np.diag(gram) > 0):
            step = (products[:, target] - found @ gram[:, target]) / gram[target, target]
            found[:, target] = np.clip(found[:, target] + step, 0.0, 1.0)
    return found
