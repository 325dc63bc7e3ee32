from __future__ import annotations

from collections import Counter

import pytest

from talkcli.engine.errors import UsageError
from talkcli.engine.pipelines.score.study.plan import NUM_FORMS, make_forms


def _pairs(form: list[dict]) -> list[tuple[int, int, int]]:
    return [(step["left"], step["right"], step["clip"]) for step in form if step["kind"] == "pair"]


def test_forms_come_in_twos_with_sides_exchanged() -> None:
    forms = make_forms(3, 7, trials=10, checks=3, late_clips=[1], seed=4)
    assert len(forms) == NUM_FORMS
    for even, odd in zip(forms[::2], forms[1::2], strict=True):
        assert sorted(_pairs(odd)) == sorted((right, left, clip) for left, right, clip in _pairs(even))
        assert _pairs(even) != [(right, left, clip) for left, right, clip in _pairs(odd)]


def test_pairs_and_clips_occur_equally_often() -> None:
    forms = make_forms(3, 8, trials=9, checks=0, late_clips=[], seed=0)
    seen = Counter((min(a, b), max(a, b), clip) for form in forms[::2] for a, b, clip in _pairs(form))
    assert len(seen) == 3 * 8
    assert max(seen.values()) - min(seen.values()) <= 1
    assert all(len(set(_pairs(form))) == 9 for form in forms)


def test_each_side_has_half_of_each_form() -> None:
    for form in make_forms(2, 20, trials=20, checks=0, late_clips=[], seed=1):
        assert sum(left == 0 for left, _, _ in _pairs(form)) == 10


def test_checks_are_of_all_kinds_and_never_first() -> None:
    for form in make_forms(2, 6, trials=6, checks=3, late_clips=[4], seed=2):
        checks = {step["kind"]: step for step in form if step["kind"] != "pair"}
        assert set(checks) == {"told", "same", "late"}
        assert form[0]["kind"] == "pair"
        assert checks["told"]["want"] != 3 and checks["told"]["left"] != checks["told"]["right"]
        assert checks["same"]["left"] == checks["same"]["right"]
        assert (checks["late"]["clip"], checks["late"]["left"], checks["late"]["right"]) == (4, 0, 0)


def test_the_seed_decides() -> None:
    settings = {"trials": 5, "checks": 2, "late_clips": [0]}
    assert make_forms(2, 9, **settings, seed=1) == make_forms(2, 9, **settings, seed=1)
    assert make_forms(2, 9, **settings, seed=1) != make_forms(2, 9, **settings, seed=2)


def test_a_form_has_no_more_pairs_than_there_are() -> None:
    assert all(len(form) == 3 for form in make_forms(2, 3, trials=30, checks=0, late_clips=[], seed=0))


def test_no_trials_are_refused() -> None:
    with pytest.raises(UsageError, match="trials"):
        make_forms(2, 3, trials=0, checks=0, late_clips=[], seed=0)
