from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.diversity import diversity_l2, diversity_mm
from talkcli.engine.metrics.eve import eve_m2, eve_mm
from talkcli.engine.metrics.fdd import fdd_m2
from talkcli.engine.metrics.jump import jump_mm
from talkcli.engine.metrics.lve import lve_m2, lve_mm
from talkcli.engine.metrics.mve import mve_mm
from talkcli.engine.metrics.undefined import UndefinedMetricError


def motion(seed: int, frames: int = 7, verts: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.01, (frames, verts, 3)).astype(np.float32)


@pytest.mark.parametrize("metric", [lve_mm, lve_m2, eve_mm, eve_m2, mve_mm])
def test_same_is_zero_and_order_does_not_matter(metric: object) -> None:
    assert callable(metric)
    assert metric(motion(0), motion(0)) == 0
    assert metric(motion(0), motion(1)) == pytest.approx(metric(motion(1), motion(0)))


@pytest.mark.parametrize(("in_mm", "in_m2"), [(lve_mm, lve_m2), (eve_mm, eve_m2)])
def test_the_worst_vertex_counts_per_frame(in_mm: object, in_m2: object) -> None:
    assert callable(in_mm) and callable(in_m2)
    true, predicted = np.zeros((2, 3, 3)), np.zeros((2, 3, 3))
    predicted[0, 1] = (0.003, 0.004, 0)  # 5 mm
    predicted[0, 2] = (0.001, 0, 0)
    predicted[1, 0] = (0, 0, 0.001)  # 1 mm
    assert in_mm(predicted, true) == pytest.approx(3.0)
    # The mean of squares is not the square of the mean: 13e-6 against 9e-6.
    assert in_m2(predicted, true) == pytest.approx(13e-6)


def test_mve_is_the_plain_mean() -> None:
    true, predicted = np.zeros((2, 4, 3)), np.zeros((2, 4, 3))
    predicted[0, 1] = (0.003, 0.004, 0)
    assert mve_mm(predicted, true) == pytest.approx(5 / 8)


def test_fdd_is_signed_and_measures_spread_of_the_squared_displacement() -> None:
    rest = np.ones((2, 3))
    true = np.repeat(rest[None], 4, axis=0)
    true[::2, 0, 1] += (
        0.02  # squared displacement 4e-4 in half of the frames: spread 2e-4 on one of two vertices
    )
    still = np.repeat(rest[None], 4, axis=0)
    assert fdd_m2(still, true, rest) == pytest.approx(1e-4)
    assert fdd_m2(true, still, rest) == pytest.approx(-1e-4)
    assert fdd_m2(true, true, rest) == 0
    # Where a still face stands does not count.
    assert fdd_m2(still + 0.01, still, rest) == pytest.approx(0)


def test_diversity_averages_all_pairs() -> None:
    first = np.zeros((2, 2, 3))
    second, third = first + np.array((0.001, 0, 0)), first + np.array((0.003, 0, 0))
    assert diversity_mm([first, second]) == pytest.approx(1.0)
    assert diversity_mm([first, second, third]) == pytest.approx((1 + 3 + 2) / 3)
    assert diversity_mm([first, first]) == 0
    with pytest.raises(UndefinedMetricError, match="two takes"):
        diversity_mm([first])


def test_jump_is_the_largest_single_step() -> None:
    vertices = np.zeros((5, 3, 3))
    vertices[2:, 1, 2] = 0.004
    vertices[4, 0] = (0.003, 0, 0)
    assert jump_mm(vertices) == pytest.approx(4.0)
    with pytest.raises(UndefinedMetricError):
        jump_mm(vertices[:1])


def test_diversity_of_sequences_takes_each_as_one_vector() -> None:
    first = np.zeros((4, 53), np.float32)
    second, third = first.copy(), first.copy()
    second[:, 0] = 3  # four frames: a distance of 6
    third[0, 1] = 8
    assert diversity_l2([first, second]) == pytest.approx(6)
    assert diversity_l2([first, second, third]) == pytest.approx((6 + 8 + 10) / 3)
    with pytest.raises(UndefinedMetricError, match="two takes"):
        diversity_l2([first])
