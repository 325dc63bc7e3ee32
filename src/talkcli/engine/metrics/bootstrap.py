"""The bootstrap: an interval of a mean over clips, whose clips may come from few speakers.

Axis names: `clips`, `groups`; `_` counts resamples. Source: Efron (1979); clusters as a whole: Davison and
Hinkley (1997), section 3.8; wider percentiles for few clips: Hesterberg, "What Teachers Should Know About the
Bootstrap" (2015), section 5.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    """Return the interval of the mean of `values` under resampling of groups; see `resampled_means`.

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
    return bounds(*resampled_means(values, groups, rng, rounds=rounds), confidence)


def resampled_means(
    values: Float[np.ndarray, "clips"],
    groups: Int[np.ndarray, "clips"],
    rng: np.random.Generator,
    *,
    rounds: int = 5000,
) -> tuple[Float[np.ndarray, "_"], int]:
    """Return the mean of `values` in every resample, and the number of groups.

    A resample draws as many groups as there are, with replacement, and takes the mean over all their clips.
    Raises UndefinedMetricError for fewer than `LEAST_GROUPS` groups.
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
    return np.concatenate(means), count


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


def p_value(resampled: Float[np.ndarray, "_"], count: int) -> float:
    """Return the two-sided p of the mean being 0: the level at which `bounds` just reaches 0.

    It is never 0, as `resampled` could not tell smaller levels apart.
    """
    share = min(float((resampled <= 0).mean()), float((resampled >= 0).mean()))
    far = stats.norm.ppf(max(share, 1 / (len(resampled) + 1))) / np.sqrt(count / (count - 1))
    return min(1.0, 2 * float(stats.t.cdf(far, count - 1)))


def holm(levels: Sequence[float]) -> list[float]:
    """Return the p values of several tests, adjusted for their number (Holm 1979)."""
    adjusted = [0.0] * len(levels)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(levels)), key=levels.__getitem__)):
        largest = max(largest, min(1.0, levels[index] * (len(levels) - rank)))
        adjusted[index] = largest
    return adjusted
