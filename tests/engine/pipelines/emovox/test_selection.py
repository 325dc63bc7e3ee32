"""Choosing clips by their likeness to anchors."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.pipelines.emovox.selection import best_within, nearest, reaching

NAN = float("nan")


def unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_nearest_is_the_highest_cosine() -> None:
    means, anchors = unit(20, 0), unit(5, 1)
    means[3] = anchors[4]
    scores, indices = nearest(means, anchors)
    for row, mean in enumerate(means.astype(np.float64)):
        cosines = [float(mean @ anchor) for anchor in anchors]
        assert indices[row] == np.argmax(cosines)
        assert scores[row] == pytest.approx(max(cosines), abs=1e-6)
    assert (indices[3], scores[3]) == (4, 1.0)


def test_of_equal_anchors_the_first_is_named() -> None:
    anchors = np.repeat(unit(1, 2), 3, axis=0)
    assert nearest(anchors[:1], anchors)[1] == [0]


def test_a_threshold_takes_what_reaches_it() -> None:
    assert reaching(np.array([0.5, 0.7, NAN, 0.699999]), 0.7).tolist() == [False, True, False, False]


def test_a_budget_is_never_exceeded_and_takes_the_best_first() -> None:
    scores, seconds = np.array([0.1, 0.9, 0.5, NAN, 0.8]), np.array([1.0, 4.0, 3.0, 1.0, 5.0])
    assert best_within(scores, seconds, 9.0).tolist() == [False, True, False, False, True]
    # Not filled up with worse clips that are shorter: the choice is all that reaches a threshold.
    assert best_within(scores, seconds, 11.0).tolist() == [False, True, False, False, True]
    assert best_within(scores, seconds, 13.0).tolist() == [True, True, True, False, True]
    assert best_within(scores, seconds, 1e9).sum() == 4
    assert not best_within(scores, seconds, 3.9).any()


def test_ties_go_by_position() -> None:
    assert best_within(np.full(4, 0.5), np.ones(4), 2.0).tolist() == [True, True, False, False]


def test_the_lowest_chosen_score_is_a_threshold_that_chooses_the_same() -> None:
    scores, _ = nearest(unit(300, 3), unit(40, 4))
    chosen = best_within(scores, np.ones(300), 100.0)
    assert chosen.sum() == 100
    assert reaching(scores, float(scores[chosen].min())).tolist() == chosen.tolist()
