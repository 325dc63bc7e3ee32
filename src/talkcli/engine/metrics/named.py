"""Named: which emotion a classifier sees in a motion, once true motion taught it what emotions look like.

Axis names: `frames`, `coeffs`, `clips`, `features` = 3 coeffs, `classes`.
A linear discriminant with equal priors and a shrunk covariance (Fisher 1936; Friedman 1989) on functionals of
the coefficients over time, as is usual for emotion (Schuller et al. 2009). It is learned wherever it is used,
so that no judge has to be shipped or believed; its recall on true motion of the test clips is its ceiling. It
knows coefficients, not faces: what it names right, people need not.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

# Share of the covariance that is taken for a multiple of unity. Anything from 0.05 to 0.9 names alike.
_SHRINKAGE = 0.1
# Features that move less than this share of the liveliest count no more for it.
_STIFFEST = 0.01


def functionals(coeffs: Float[np.ndarray, "frames coeffs"]) -> Float[np.ndarray, "features"]:
    """Return quartiles of each coefficient over time: where it is and how far it moves, blinks or not."""
    return np.quantile(coeffs.astype(np.float64), (0.25, 0.5, 0.75), axis=0).ravel()


class Discriminant:
    """Learned from examples, of which there are two classes or more; names are labels of these."""

    def __init__(
        self, features: Float[np.ndarray, "clips features"], labels: Int[np.ndarray, "clips"]
    ) -> None:
        self.labels = np.unique(labels)
        self._mean = features.mean(axis=0)
        spread = features.std(axis=0)
        self._scale = np.maximum(spread, max(_STIFFEST * spread.max(), np.finfo(np.float64).tiny))
        scaled = (features - self._mean) / self._scale
        means = np.stack([scaled[labels == label].mean(axis=0) for label in self.labels])
        within = scaled - means[np.searchsorted(self.labels, labels)]
        covariance = within.T @ within / max(len(features) - len(self.labels), 1)
        unity = np.eye(len(covariance)) * max(
            np.trace(covariance) / len(covariance), np.finfo(np.float64).tiny
        )
        self._weights = np.linalg.solve((1 - _SHRINKAGE) * covariance + _SHRINKAGE * unity, means.T)
        self._offsets = -0.5 * (means.T * self._weights).sum(axis=0)

    def __call__(self, features: Float[np.ndarray, "clips features"]) -> Int[np.ndarray, "clips"]:
        """Return the likeliest label of each clip."""
        scores = (features - self._mean) / self._scale @ self._weights + self._offsets
        return self.labels[scores.argmax(axis=1)]
