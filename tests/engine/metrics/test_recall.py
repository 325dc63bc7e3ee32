"""Recall, on names that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.recall import confusion, recalls, unweighted_average_recall
from talkcli.engine.metrics.undefined import UndefinedMetricError

TRUE = np.array([0, 0, 0, 0, 2, 2])
NAMED = np.array([0, 0, 0, 1, 2, 0])


def test_true_labels_are_rows() -> None:
    np.testing.assert_array_equal(confusion(NAMED, TRUE, 3), [[3, 1, 0], [0, 0, 0], [1, 0, 1]])


def test_rare_labels_count_as_much_as_common_ones() -> None:
    assert recalls(NAMED, TRUE) == {0: 0.75, 2: 0.5}
    assert unweighted_average_recall(NAMED, TRUE) == 0.625
    # Accuracy would be 4 of 6.


def test_naming_everything_alike_is_chance() -> None:
    true = np.repeat(np.arange(8), [1, 2, 3, 4, 5, 6, 7, 8])
    assert unweighted_average_recall(np.zeros_like(true), true) == 1 / 8


def test_nothing_to_name() -> None:
    with pytest.raises(UndefinedMetricError):
        unweighted_average_recall(NAMED[:0], TRUE[:0])
