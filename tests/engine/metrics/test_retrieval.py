"""Retrieval and forced choice, against counting and against games that are really played."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.retrieval import chance_at, forced_choice, recall_at
from talkcli.engine.metrics.undefined import UndefinedMetricError

LABELS = np.array([0, 0, 1])
# The third query's own counterpart is the furthest from it.
DISTANCES = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])


def test_the_label_counts_not_the_clip() -> None:
    assert recall_at(1, DISTANCES, LABELS, LABELS) == pytest.approx(1 / 3)
    assert recall_at(2, DISTANCES, LABELS, LABELS) == pytest.approx(2 / 3)
    assert recall_at(3, DISTANCES, LABELS, LABELS) == 1


def test_rows_are_queries() -> None:
    # Down the columns, where the first of equally near ones counts: they find 0, 0 and 1.
    assert recall_at(1, DISTANCES.T, LABELS, LABELS) == pytest.approx(2 / 3)


def test_chance_is_what_random_distances_give() -> None:
    labels = np.repeat(np.arange(4), [2, 3, 4, 5])
    rng = np.random.default_rng(0)
    for k in (1, 5):
        found = [recall_at(k, rng.random((14, 14)), labels, labels) for _ in range(600)]
        assert chance_at(k, labels, labels) == pytest.approx(np.mean(found), abs=0.02)


def test_chance_in_a_gallery_of_fewer_than_k() -> None:
    labels = np.array([0, 1, 1])
    assert chance_at(5, labels, labels) == chance_at(3, labels, labels) == 1.0
    assert chance_at(5, np.array([2, 0]), labels) == 0.5


def test_forced_choice_is_the_game_played_very_often() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 4)
    # Rounded, so that many are equally near.
    distances = np.round(rng.random((12, 12)) + 0.3 * (labels[:, None] != labels), 1)
    won = []
    for query, label in enumerate(labels):
        candidates = rng.integers(4, size=(4000, 3)) + 4 * np.arange(3)
        lots = 1e-6 * rng.random((4000, 3))
        won.append(((distances[query][candidates] + lots).argmin(axis=1) == label).mean())
    assert forced_choice(distances, labels, labels) == pytest.approx(np.mean(won), abs=0.015)


def test_forced_choice_at_the_ends() -> None:
    labels = np.arange(8)
    assert forced_choice(1.0 - np.eye(8), labels, labels) == pytest.approx(1)
    assert forced_choice(np.zeros((8, 8)), labels, labels) == pytest.approx(1 / 8)
    assert forced_choice(np.eye(8), labels, labels) == pytest.approx(0)


def test_a_hub_wins_every_query_but_not_every_choice() -> None:
    labels = np.repeat(np.arange(2), 10)
    distances = np.where(labels[:, None] == labels, 1.0, 2.0)
    distances[:, 0] = 0.0
    assert recall_at(1, distances, labels, labels) == 0.5
    # Queries of label 1 lose the tenth of their choices in which it is drawn.
    assert forced_choice(distances, labels, labels) == pytest.approx((1 + 0.9) / 2)


def test_what_cannot_be_chosen() -> None:
    with pytest.raises(UndefinedMetricError):
        forced_choice(DISTANCES[:, :2], LABELS, LABELS[:2])
    with pytest.raises(UndefinedMetricError):
        recall_at(5, DISTANCES, LABELS, LABELS)
