"""Pooled Frechet distance: the golden number of pytorch-fid whatever the clips, and too few items."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.frechet_pool import ComparedMoments, distance, published_distance
from talkcli.engine.metrics.take import Compared
from talkcli.engine.metrics.undefined import UndefinedMetricError

ROWS, COLUMNS = np.arange(50)[:, None], np.arange(8)
MADE = np.sin(0.37 * (ROWS + 1) * (COLUMNS + 1)) + 0.1 * COLUMNS
TRUE = 0.9 * np.sin(0.37 * (ROWS + 1) * (COLUMNS + 1) + 0.5) + 0.12 * COLUMNS + 0.05 * np.cos(0.1 * ROWS**2)


def moments(*cuts: int, made: np.ndarray = MADE, true: np.ndarray = TRUE) -> ComparedMoments:
    found = ComparedMoments.empty(8)
    for part, other in zip(np.split(made, cuts), np.split(true, cuts), strict=True):
        found.add(Compared(part, other))
    return found


@pytest.mark.parametrize("cuts", [(), (1, 30), (10, 20, 30, 40)])
def test_golden_whatever_the_clips(cuts: tuple[int, ...]) -> None:
    found = moments(*cuts)
    assert found.clips == len(cuts) + 1
    assert distance(found) == pytest.approx(0.0907123167565, rel=1e-8)


def test_order_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(50)
    assert distance(moments(7, made=MADE[order], true=TRUE[order[::-1]])) == pytest.approx(0.0907123167565)


def test_joined() -> None:
    total = ComparedMoments.empty(8)
    for part in (slice(0, 9), slice(9, 10), slice(10, 50)):
        total.join(moments(made=MADE[part], true=TRUE[part]))
    total.join(ComparedMoments.empty(8))
    assert total.clips == 3
    assert distance(total) == pytest.approx(0.0907123167565, rel=1e-8)


def test_a_set_against_itself() -> None:
    assert distance(moments(true=MADE)) == pytest.approx(0, abs=1e-9)


def test_too_few_items() -> None:
    with pytest.raises(UndefinedMetricError, match="needs more than 8 items, there are 5"):
        distance(moments(made=MADE[:5]))


def test_the_published_distance_takes_any_number_of_items() -> None:
    assert published_distance(moments(7)) == distance(moments(7))
    few = moments(made=MADE[:5], true=TRUE[:5])
    # With 5 items of 8 features the root's other eigenvalues are 0.
    one, other = np.cov(MADE[:5].T), np.cov(TRUE[:5].T)
    root = np.sqrt(np.maximum(np.linalg.eigvals(one @ other).real, 0)).sum()
    apart = np.square(MADE[:5].mean(axis=0) - TRUE[:5].mean(axis=0)).sum()
    wanted = apart + np.trace(one) + np.trace(other) - 2 * root
    assert published_distance(few) == pytest.approx(wanted, abs=1e-6)
    with pytest.raises(UndefinedMetricError):
        published_distance(moments(made=MADE[:1]))
