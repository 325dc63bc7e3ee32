"""Chances of clips: shares of emotions, corpora and speakers that are known."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.train.chances import chances

# Two corpora act emotions 0 and 1, a third has read speech of emotion 0 only, a hundred times as much.
CORPORA = ["a", "a", "a", "a", "b", "b", "read", "read"]
SPEAKERS = ["x", "x", "y", "y", "z", "z", "r", "s"]
EMOTIONS = np.array([0, 1, 0, 1, 0, 1, 0, 0])
LENGTHS = np.array([10, 20, 30, 40, 10, 30, 5000, 5000])


def sums(drawn: np.ndarray, *keys: object) -> dict[object, float]:
    names = list(zip(*keys, strict=True))
    return {name: sum(drawn[i] for i in range(len(drawn)) if names[i] == name) for name in set(names)}


def test_by_length_and_by_emotion() -> None:
    by_length = chances(LENGTHS, EMOTIONS, CORPORA, SPEAKERS, False)
    np.testing.assert_allclose(by_length, LENGTHS / LENGTHS.sum())
    by_emotion = chances(LENGTHS, EMOTIONS, CORPORA, SPEAKERS, True)
    assert by_emotion[EMOTIONS == 1].sum() == pytest.approx(0.5)
    assert by_emotion[3] == pytest.approx(0.5 * 40 / 90)


def test_a_corpus_does_not_tell_the_emotion() -> None:
    drawn = chances(LENGTHS, EMOTIONS, CORPORA, SPEAKERS, "corpus")
    assert drawn.sum() == pytest.approx(1.0)
    found = sums(drawn, CORPORA, EMOTIONS)
    assert found[("a", 0)] == found[("a", 1)] == found[("b", 0)] == pytest.approx(0.2)
    assert found[("read", 0)] == pytest.approx(0.2)
    # Speakers of a corpus and an emotion are drawn alike.
    assert drawn[0] == drawn[2] == pytest.approx(0.1)


def test_corpora_of_one_kind_alone() -> None:
    for rows in (slice(0, 6), slice(6, 8)):
        drawn = chances(LENGTHS[rows], EMOTIONS[rows], CORPORA[rows], SPEAKERS[rows], "corpus")
        assert drawn.sum() == pytest.approx(1.0)
