"""The jackknife of a mean is its textbook error."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.jackknife import standard_error
from talkcli.engine.metrics.undefined import UndefinedMetricError

VALUES = np.random.default_rng(0).normal(size=24)


def test_of_a_mean() -> None:
    error = standard_error(lambda chosen: VALUES[chosen].mean(), np.arange(24))
    assert error == pytest.approx(VALUES.std(ddof=1) / np.sqrt(24))


def test_groups_leave_together() -> None:
    groups = np.repeat(np.arange(6), 4)
    means = VALUES.reshape(6, 4).mean(1)
    error = standard_error(lambda chosen: VALUES[chosen].mean(), groups)
    assert error == pytest.approx(means.std(ddof=1) / np.sqrt(6))


def test_one_group_has_no_error() -> None:
    with pytest.raises(UndefinedMetricError):
        standard_error(lambda chosen: 1.0, np.zeros(5, dtype=int))
