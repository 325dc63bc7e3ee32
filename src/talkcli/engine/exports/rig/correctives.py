"""Correctives: a few targets whose sums, by weights from 0 to 1, come near given displacements.

Axis names: `poses`, `numbers` (coordinates of all vertices), `targets`. Least squares over targets and
weights in turn, with the weights bounded: semi-nonnegative matrix factorisation (Ding, Li and Jordan 2010)
with a bound above. It begins at poses that occur, each the one that those before it explain least.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_ROUNDS, _SWEEPS = 30, 20
# As a part of the mean square of the weights: keeps targets that hardly occur from growing without bound.
_RIDGE = 1e-6


def bounded_weights(
    poses: Float[np.ndarray, "poses numbers"], targets: Float[np.ndarray, "targets numbers"]
) -> Float[np.ndarray, "poses targets"]:
    """Return the weights in [0, 1] by which the sum of `targets` comes nearest to each pose."""
    return _descend(poses @ targets.T, targets @ targets.T, None, 4 * _SWEEPS)


def fit_correctives(
    poses: Float[np.ndarray, "poses numbers"], most: int, tolerance: float
) -> Float[np.ndarray, "targets numbers"]:
    """Return at most `most` targets for `poses`; fewer where a root mean square of `tolerance` is reached."""
    left, chosen = poses, []
    weights = np.zeros((len(poses), 0))
    while len(chosen) < most:
        sizes = np.einsum("pn,pn->p", left, left)
        if sizes.sum() <= tolerance**2 * poses.size:
            break
        chosen.append(int(sizes.argmax()))
        targets = poses[chosen]
        weights = bounded_weights(poses, targets)
        left = poses - weights @ targets
    targets = poses[chosen]
    for _ in range(_ROUNDS if chosen else 0):
        gram = weights.T @ weights
        gram[np.diag_indices_from(gram)] += _RIDGE * (np.trace(gram) / len(gram) + 1e-12)
        targets = np.linalg.solve(gram, weights.T @ poses)
        # The greatest weight of each is 1, so that the bounds leave no target unused.
        scale = weights.max(axis=0)
        scale[scale == 0] = 1.0
        targets *= scale[:, None]
        weights = _descend(poses @ targets.T, targets @ targets.T, weights / scale, _SWEEPS)
    return targets


def _descend(
    products: Float[np.ndarray, "poses targets"],
    gram: Float[np.ndarray, "targets targets"],
    weights: Float[np.ndarray, "poses targets"] | None,
    sweeps: int,
) -> Float[np.ndarray, "poses targets"]:
    """Return weights after coordinate descent of all poses at once, from `weights` (None: 0) on."""
    weights = np.zeros_like(products) if weights is None else weights.copy()
    for _ in range(sweeps):
        for target in np.flatnonzero(np.diag(gram) > 0):
            step = (products[:, target] - weights @ gram[:, target]) / gram[target, target]
            weights[:, target] = np.clip(weights[:, target] + step, 0.0, 1.0)
    return weights
