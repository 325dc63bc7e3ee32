"""Intervals contain the true mean as often as they say, also of clips that resemble each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from talkcli.engine.metrics.bootstrap import interval
from talkcli.engine.metrics.undefined import UndefinedMetricError

ROUNDS, TRIALS = 400, 300


def hits(clips: int, skewed: bool) -> float:
    rng = np.random.default_rng(clips)
    inside = 0
    for _ in range(TRIALS):
        values = rng.exponential(1, clips) - 1 if skewed else rng.normal(0, 1, clips)
        low, high = interval(values, np.arange(clips), rng, rounds=ROUNDS)
        inside += low <= 0 <= high
    return inside / TRIALS


@pytest.mark.parametrize(("clips", "least"), [(8, 0.91), (30, 0.92), (100, 0.92)])
def test_without_a_difference_95_percent_contain_0(clips: int, least: float) -> None:
    assert least <= hits(clips, skewed=False) <= 0.985


def test_of_a_skewed_difference_too() -> None:
    assert 0.9 <= hits(60, skewed=True) <= 0.985


def test_speakers_who_differ_need_the_interval_over_speakers() -> None:
    rng = np.random.default_rng(1)
    speakers = np.repeat(np.arange(12), 10)
    inside = {"clips": 0, "speakers": 0}
    for _ in range(TRIALS):
        values = rng.normal(0, 1, 12)[speakers] + rng.normal(0, 0.3, 120)
        for over, groups in (("clips", np.arange(120)), ("speakers", speakers)):
            low, high = interval(values, groups, rng, rounds=ROUNDS)
            inside[over] += low <= 0 <= high
    assert 0.9 <= inside["speakers"] / TRIALS <= 0.985
    # Clips of one speaker are no independent clips.
    assert inside["clips"] / TRIALS < 0.6


def test_it_is_as_wide_as_students_interval() -> None:
    values = np.random.default_rng(2).normal(5, 2, 20)
    low, high = interval(values, np.arange(20), np.random.default_rng(0), rounds=20_000)
    expected = stats.t.interval(0.95, 19, values.mean(), stats.sem(values))
    assert low == pytest.approx(expected[0], abs=0.1)
    assert high == pytest.approx(expected[1], abs=0.1)


def test_speakers_with_many_clips_weigh_more() -> None:
    values, speakers = np.array([0.0] * 5 + [1.0] * 95), np.array([0, 1, 2, 3, 4, *[5, 6, 7, 8, 9] * 19])
    low, high = interval(values, speakers, np.random.default_rng(0), rounds=2000)
    assert low < 0.95 < high


def test_the_same_seed_gives_the_same_interval_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(3).normal(0, 1, 40)
    whole = interval(values, np.arange(40), np.random.default_rng(0), rounds=500)
    monkeypatch.setattr("talkcli.engine.metrics.bootstrap._BLOCK", 40 * 7)
    assert interval(values, np.arange(40), np.random.default_rng(0), rounds=500) == whole


def test_few_groups_have_none() -> None:
    with pytest.raises(UndefinedMetricError, match="there are 4"):
        interval(np.arange(8.0), np.arange(8) // 2, np.random.default_rng(0))
