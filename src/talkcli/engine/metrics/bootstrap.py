"""The bootstrap: an interval of a mean over clips, whose clips may come from few speakers.

Axis names: `clips`, `groups`, `rounds` (resamples). Source: Efron (1979); clusters as a whole: Davison and
Hinkley (1997), section 3.8; wider percentiles for few clips: Hesterberg, "What Teachers Should Know About the
Bootstrap" (2015), section 5.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from talkcli.engine.metrics.undefined import UndefinedMetricError

# Smallest number of groups that an interval needs: with fewer, resamples have hardly any different values.
LEAST_GROUPS = 5
# Number of indices that are drawn at a time, which limits memory.
_BLOCK = 2_000_000


def interval(
    values: Float[np.ndarray, "clips"],
    groups: Int[np.ndarray, "clips"],
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
    rounds: int = 5000,
) -> tuple[float, float]:
    """Return the interval of the mean of `values` under resampling of groups.

    A resample draws as many groups as there are, with replacement, and takes the mean over all their clips.
    The percentiles are those of the expanded percentile interval, which is as wide for few groups as that of
    Student's t.

    Args:
        values: Value of each clip.
        groups: Group of each clip. Clips of one group are drawn together: numbers of speakers give the
            interval over speakers, a different number for each clip gives the interval over clips.
        rng: Source of the resamples.
        confidence: Share of all such intervals that should contain the true mean.
        rounds: Number of resamples.

    Raises:
        UndefinedMetricError: For fewer than `LEAST_GROUPS` groups.
    """
    _, member = np.unique(groups, return_inverse=True)
    sums, sizes = np.bincount(member, weights=values), np.bincount(member)
    count = len(sizes)
    if count < LEAST_GROUPS:
        raise UndefinedMetricError(f"needs {LEAST_GROUPS} or more, but there are {count}")
    means = []
    step = max(_BLOCK // count, 1)
    for start in range(0, rounds, step):
        drawn = rng.integers(count, size=(min(step, rounds - start), count))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return bounds(np.concatenate(means), count, confidence)


def bounds(resampled: Float[np.ndarray, "_"], count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval that values of resamples of `count` groups give.

    Raises UndefinedMetricError for fewer than `LEAST_GROUPS` groups.
    """
    if count < LEAST_GROUPS:
        raise UndefinedMetricError(f"needs {LEAST_GROUPS} or more, but there are {count}")
    tail = (1 - confidence) / 2
    far = stats.norm.cdf(np.sqrt(count / (count - 1)) * stats.t.ppf(tail, count - 1))
    low, high = np.quantile(resampled, (far, 1 - far))
    return float(low), float(high)
