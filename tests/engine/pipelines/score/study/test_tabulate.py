from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from talkcli.engine.errors import InputError
from talkcli.engine.pipelines.score.study.correlate import spearman
from talkcli.engine.pipelines.score.study.ratings import Ratings, mean_interval
from talkcli.engine.pipelines.score.study.tabulate import study_results
from talkcli.engine.types import Silent
from tests.engine.pipelines.score.study.answers import CLIPS, answer, preferring, result, write


def _table(folder: Path, scores: dict[str, Path] | None = None, allowed: int = 0) -> dict[str, Any]:
    return study_results([folder], scores=scores or {}, allowed=allowed, seed=0, reporter=Silent())


def _row(table: dict[str, Any], question: str) -> dict[str, Any]:
    return next(row for row in table["pairs"] if row["question"] == question)


def test_preferences_do_not_depend_on_the_sides(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scores = {0: 5, 1: 4, 2: 4, 3: 3, 4: 5, 5: 2, 6: 4, 7: 5}
    table = _table(write(tmp_path, [preferring(rater, scores, rng) for rater in range(5)]))
    row = _row(table, "lips")
    assert row["mean"] == pytest.approx(4.0)
    assert row["shares"] == {"5": 0.375, "4": 0.375, "3": 0.125, "2": 0.125, "1": 0.0}
    assert (row["prefer_first"], row["tie"], row["prefer_second"]) == (0.75, 0.125, 0.125)
    assert (row["answers"], row["raters"], row["clips"]) == (40, 5, 8)
    # The sign test by its own sum: 30 against 5.
    tail = sum(math.comb(35, k) for k in range(6)) / 2**35
    assert row["p"] == pytest.approx(2 * tail)
    assert row["p_holm"] == pytest.approx(4 * tail)
    same = _row(table, "emotion")
    assert (same["mean"], same["tie"], same["p"], same["differs"]) == (3.0, 1.0, 1.0, False)


def test_raters_who_fail_checks_are_left_out_with_the_reason(tmp_path: Path) -> None:
    good = result(1, [answer(0, answers={"emotion": 5, "lips": 5})])
    bad = result(2, [answer(0), answer(1, "told", want=5, answers={"emotion": 5, "lips": 1})])
    idle = result(3, [])
    folder = write(tmp_path, [good, bad, idle])
    table = _table(folder)
    assert (table["raters"]["given"], table["raters"]["kept"]) == (3, 1)
    reasons = {rater["rater"][-1]: rater["reason"] for rater in table["raters"]["dropped"]}
    assert reasons == {"2": "failed 1 of 1 check (told)", "3": "rated no pair"}
    assert _row(table, "lips")["mean"] == 1.0
    assert _table(folder, allowed=1)["raters"]["kept"] == 2
    with pytest.raises(InputError, match="No rater is left"):
        _table(write(tmp_path / "none", [bad]))


@pytest.mark.parametrize(("raters", "clips"), [(1, 1), (4, 8), (8, 4)])
def test_few_raters_or_clips_give_no_interval(tmp_path: Path, raters: int, clips: int) -> None:
    rng = np.random.default_rng(0)
    scores = dict.fromkeys(range(clips), 5)
    folder = write(tmp_path, [preferring(rater, scores, rng) for rater in range(raters)])
    row = _row(_table(folder), "lips")
    assert row["interval"] is None and row["differs"] is None and row["differs_alone"] is None
    assert row["reason"] == "an interval needs 5 raters and 5 clips"


def test_a_clear_difference_is_one_in_either_direction(tmp_path: Path) -> None:
    for name, scores in (("more", (5, 4, 5, 4, 4)), ("less", (1, 2, 1, 2, 2))):
        rng = np.random.default_rng(0)
        raters = [preferring(rater, dict(enumerate(scores)), rng) for rater in range(5)]
        row = _row(_table(write(tmp_path / name, raters)), "lips")
        assert row["differs_alone"] is True and row["differs"] is True


def test_a_row_that_differs_alone_but_not_among_all_rows_does_not_differ(tmp_path: Path) -> None:
    # Each rater answers one clip: 6 against none has p = 1/32, and 1/16 beside a second row.
    raters = [preferring(rater, {rater: 4}, np.random.default_rng(rater)) for rater in range(6)]
    row = _row(_table(write(tmp_path, raters)), "lips")
    assert (row["p"], row["p_holm"]) == (1 / 32, 1 / 16)
    assert row["interval"][0] > 3 and row["differs_alone"] is True and row["differs"] is False


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    raters, clips = np.repeat(np.arange(12), 10), np.tile(np.arange(10), 12)
    covered = 0
    for seed in range(60):
        effects = rng.normal(0, 0.7, 12)[raters] + rng.normal(0, 0.7, 10)[clips]
        scores = 3 + effects + rng.normal(0, 0.5, 120)
        bounds = mean_interval(Ratings(scores=scores, raters=raters, clips=clips), seed)
        assert bounds is not None
        covered += bounds[0] <= 3 <= bounds[1]
    assert 50 <= covered <= 60


def test_answers_of_one_rater_do_not_count_as_independent() -> None:
    rng = np.random.default_rng(5)
    raters, clips = np.repeat(np.arange(6), 10), np.tile(np.arange(10), 6)
    scores = 3 + np.array([2.0, -2.0, 2.0, -2.0, 2.0, 0.0])[raters] + rng.normal(0, 0.1, 60)
    low, high = mean_interval(Ratings(scores=scores, raters=raters, clips=clips), 0) or (0.0, 0.0)
    naive = 1.96 * scores.std(ddof=1) / math.sqrt(60)
    assert (high - low) / 2 > 2 * naive


def test_spearman_equals_scipys() -> None:
    points = np.random.default_rng(0).integers(0, 5, (30, 2)).astype(float)
    assert spearman(points) == pytest.approx(spearmanr(points[:, 0], points[:, 1]).statistic)
    assert math.isnan(spearman(np.array([[1.0, 1.0], [1.0, 2.0]])))


def _report(path: Path, **metrics: list[float | None]) -> Path:
    clips = [
        {"id": clip, "metrics": {name: {"value": values[index]} for name, values in metrics.items()}}
        for index, clip in enumerate(CLIPS)
    ]
    path.write_text(json.dumps({"clips": clips}))
    return path


def test_a_metric_that_people_see_correlates_and_a_blind_one_does_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    scores = {0: 5, 1: 4, 2: 4, 3: 3, 4: 5, 5: 2, 6: 4, 7: 1}
    folder = write(tmp_path / "answers", [preferring(rater, scores, rng) for rater in range(3)])
    error = [float(-score) for score in scores.values()]
    files = {
        "ours": _report(tmp_path / "ours.json", error=error, blind=[1.0] * 8, rare=[1.0, *[None] * 7]),
        "theirs": _report(tmp_path / "theirs.json", error=[0.0] * 8, blind=[1.0] * 8, rare=[2.0] * 8),
    }
    found = {(row["metric"], row["question"]): row for row in _table(folder, files)["correlations"]}
    seen = found["error", "lips"]
    assert seen["spearman"] == pytest.approx(-1.0) and seen["points"] == 8
    assert seen["interval"][1] == pytest.approx(-1.0)
    assert found["blind", "lips"]["reason"] == "the metric or the rating is the same everywhere"
    assert found["rare", "lips"]["reason"] == "1 pairs of clips have both, 5 are needed"
    assert found["error", "emotion"]["spearman"] is None


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("ours", "{}", "no values of single clips"),
        ("ours", '{"clips": [{"id": 1}]}', "none of the study's clips"),
        ("ours", '{"clips": 3}', "no values of single clips"),
        ("ours", "[]", "no values of single clips"),
        ("ours", "nonsense", "not JSON"),
        ("nobody", "{}", "no method nobody"),
    ],
)
def test_foreign_scores_are_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    folder = write(tmp_path / "answers", [result(1, [answer(0)])])
    (tmp_path / "a.json").write_text(text)
    files = {name: tmp_path / "a.json", "theirs": _report(tmp_path / "b.json", error=[1.0] * 8)}
    with pytest.raises(InputError, match=words):
        _table(folder, files)
