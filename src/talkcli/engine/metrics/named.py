"""Classifier of the emotion in a motion, trained on true motion.

Axis names: `frames`, `coeffs`, `clips`, `features` = 3 coeffs, `classes`. The classifier is a linear
discriminant with equal priors and a shrunk covariance (Fisher 1936; Friedman 1989). Its features are
functionals of the coefficients over time, as is usual for emotion (Schuller et al. 2009). talk trains it
wherever it uses it, so it ships no weights that a reader would have to trust. Its recall on the true motion
of the test clips is an upper bound. It sees coefficients and not faces: people need not agree with its
labels.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

# Share of the covariance that a multiple of the identity matrix replaces. Values from 0.05 to 0.9 give much
# the same labels.
_SHRINKAGE = 0.1
# Smallest scale by which a feature is divided, as a share of the largest standard deviation of a feature: it
# keeps features that hardly vary from counting more than others.
_STIFFEST = 0.01


def functionals(coeffs: Float[np.ndarray, "frames coeffs"]) -> Float[np.ndarray, "features"]:
    """Return the quartiles of each coefficient over time.

    They show where a coefficient lies and how far it moves; short events such as blinks hardly change them.
    """
    return np.quantile(coeffs.astype(np.float64), (0.25, 0.5, 0.75), axis=0).ravel()


class Discriminant:
    """Linear discriminant, trained on the features of clips with two or more labels."""

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
        """Return the most probable label of each clip."""
        scores = (features - self._mean) / self._scale @ self._weights + self._offsets
        return self.labels[scores.argmax(axis=1)]
