"""Fréchet distance of two sets of features: how far apart two normal distributions with their moments are.

Axis names: `items`, `features`. Sources: Dowson & Landau (1982); Heusel et al. (2017) for FID; pytorch-fid
for its conventions (covariance with n - 1). Moments are added batch by batch, so that memory does not grow
with the number of items; everything is float64.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigvalsh
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpstrf, dsygst

from talkcli.engine.metrics.undefined import UndefinedMetricError

Features = Float[np.ndarray, "items features"]


class Moments:
    """Number, mean and scatter (sum of squared deviations from the mean) of features, added in batches.

    Source: Chan, Golub & LeVeque (1983).
    """

    def __init__(self, num_features: int) -> None:
        self.count = 0
        self.mean = np.zeros(num_features)
        # Only the lower triangle counts.
        self._scatter = np.zeros((num_features, num_features), order="F")

    @classmethod
    def of(cls, features: Features) -> Moments:
        """Return the moments of one set."""
        found = cls(features.shape[1])
        found.add(features)
        return found

    def add(self, features: Features) -> None:
        """Add a batch of items. Raises ValueError for another number of features."""
        if features.shape[1] != len(self.mean):
            raise ValueError(f"{features.shape[1]} features, not {len(self.mean)}")
        if len(features) == 0:
            return
        precise = np.asarray(features, dtype=np.float64)
        mean = precise.mean(axis=0)
        apart, total = mean - self.mean, self.count + len(precise)
        # The difference of the means is one more deviation, with its weight.
        rows = np.vstack([precise - mean, apart * np.sqrt(self.count * len(precise) / total)])
        self._scatter = dsyrk(1.0, rows.T, beta=1.0, c=self._scatter, lower=1, overwrite_c=1)
        self.mean = self.mean + apart * (len(precise) / total)
        self.count = total

    def join(self, other: Moments) -> None:
        """Add the items of other moments. Raises ValueError for another number of features."""
        if len(other.mean) != len(self.mean):
            raise ValueError(f"{len(other.mean)} features, not {len(self.mean)}")
        if other.count == 0:
            return
        apart, total = other.mean - self.mean, self.count + other.count
        between = np.outer(apart, apart) * (self.count * other.count / total)
        self._scatter = np.asfortranarray(self._scatter + other._scatter + between)
        self.mean = self.mean + apart * (other.count / total)
        self.count = total

    def covariance(self) -> Float[np.ndarray, "features features"]:
        """Return the covariance; it divides by the number of items less 1.

        Raises UndefinedMetricError for too few items.
        """
        if self.count < 2:
            raise UndefinedMetricError(f"needs 2 items or more, there are {self.count}")
        lower = np.tril(self._scatter)
        return (lower + np.tril(lower, -1).T) / (self.count - 1)


def frechet_distance(one: Moments, other: Moments) -> float:
    """Return |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), in the square of the features' unit.

    The trace of the root is the sum of the roots of the eigenvalues of L' C2 L with C1 = L L'; these are
    never negative, so that sets with fewer items than features need no correction. The value of two equal
    sets is 0 up to rounding, and never negative.

    Raises UndefinedMetricError for too few items, and for features that are not finite.
    """
    covariances = [moments.covariance() for moments in (one, other)]
    traces = sum(float(np.trace(covariance)) for covariance in covariances)
    if not np.isfinite(traces):
        raise UndefinedMetricError("the features are not finite")
    values = eigvalsh(_product(*covariances), overwrite_a=True, check_finite=False)
    apart = one.mean - other.mean
    distance = float(apart @ apart) + traces - 2 * float(np.sqrt(np.maximum(values, 0)).sum())
    return max(distance, 0.0)


def _product(
    one: Float[np.ndarray, "features features"], other: Float[np.ndarray, "features features"]
) -> Float[np.ndarray, "chosen chosen"]:
    """Return the lower triangle of L' C2 L with C1 = L L', for C1 = `one` and C2 = `other`.

    L comes from Cholesky's method with pivots (LAPACK's pstrf), which works for any rank; both covariances
    are put into the pivots' order, which changes no eigenvalue of their product.
    """
    factor, pivots, rank, _ = dpstrf(one, lower=1)
    ordered = other[np.ix_(pivots - 1, pivots - 1)]
    if rank == len(one):
        product: Float[np.ndarray, "chosen chosen"] = dsygst(ordered, factor, itype=2, lower=1)[0]
        return product
    lower = np.tril(factor)[:, :rank]
    return lower.T @ ordered @ lower
