"""The ratio, on variances whose order is known."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.confidence import confident_ratio
from talkcli.engine.metrics.undefined import UndefinedMetricError

RIGHT = np.array([True, True, False, True, False, False, True])


def spread(*levels: float) -> np.ndarray:
    """Two dimensions whose mean is the level."""
    return np.array([[level - 1.0, level + 1.0] for level in levels])


def test_the_surer_half_against_the_other() -> None:
    # Surest: the first three; in neither half: the fourth; least sure: the last three.
    assert confident_ratio(RIGHT, spread(-9, -8, -7, -6, -5, -4, -3)) == pytest.approx(2)
    assert confident_ratio(RIGHT, spread(9, 8, 7, 6, 5, 4, 3)) == pytest.approx(0.5)


def test_without_anything_to_compare_with() -> None:
    with pytest.raises(UndefinedMetricError, match="never right"):
        confident_ratio(RIGHT[:3], spread(1, 2, 3))
    with pytest.raises(UndefinedMetricError, match="two clips"):
        confident_ratio(RIGHT[:1], spread(1))
