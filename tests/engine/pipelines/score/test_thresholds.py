from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.pipelines.score.junit import write_junit
from talkcli.engine.pipelines.score.thresholds import Threshold, verdict

FOUND = {"lve_mm": {"value": 3.0, "reason": None}, "sync_r": {"value": None, "reason": "no sound"}}


@pytest.mark.parametrize(
    ("condition", "fails"),
    [
        ("lve_mm>2.9", True), ("lve_mm > 3", False), ("lve_mm>=3.0", True), ("lve_mm >= 3.1", False),
        ("lve_mm<3", False), ("lve_mm<3.5", True), ("lve_mm<=3", True), ("lve_mm<=2.5", False),
        ("lve_mm<inf", True), (" lve_mm > 1e-3 ", True),
        # Without a value nothing holds, but nobody knows that.
        ("sync_r<-1", True),
    ],
)  # fmt: skip
def test_conditions(condition: str, fails: bool) -> None:
    assert (Threshold.parse_condition(condition).missed(FOUND) is not None) == fails


@pytest.mark.parametrize(
    "condition",
    ["", "lve_mm", "lve_mm=3", "lve_mm==3", "lve_mm>", ">3", "lve_mm>>3", "lve_mm>three", "lve_mm>nan",
     "lve_mm<2<3", "lve_m>3", "lve_mm>3 mm"],
)  # fmt: skip
def test_what_is_no_condition(condition: str) -> None:
    with pytest.raises(UsageError):
        Threshold.parse_condition(condition)


def test_the_words_say_how_a_limit_was_missed() -> None:
    assert Threshold.parse_condition("lve_mm>2").missed(FOUND) == "lve_mm is 3, over 2"
    assert Threshold.parse_condition("lve_mm>=3").missed(FOUND) == "lve_mm is 3, not under 3"
    assert Threshold.parse("lve_mm=4", is_floor=True).missed(FOUND) == "lve_mm is 3, under 4"


def test_junit_has_a_case_for_each_threshold(tmp_path: Path) -> None:
    limits = [Threshold.parse_condition(text) for text in ("lve_mm>2", "lve_mm>4", "sync_r<0")]
    said = verdict(limits, FOUND)
    assert len(said["missed"]) == 2
    write_junit(tmp_path / "out" / "score.xml", said["thresholds"], {})
    suite = ElementTree.parse(tmp_path / "out" / "score.xml").getroot()[0]
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "2",
        "errors": "0",
    }
    failures = [case.find("failure") for case in suite]
    assert [found is not None for found in failures] == [True, False, True]
    assert suite[0].get("name") == "not lve_mm > 2"
    assert failures[0] is not None and failures[0].get("message") == "lve_mm is 3, over 2"


def test_junit_holds_any_name_and_message(tmp_path: Path) -> None:
    odd = {"a<b>&\x00\x1b\udcff\ufffe": InputError("It says \x07 and ]]>.", hint="Try & see <this>.")}
    write_junit(tmp_path / "score.xml", [], odd)
    suite = ElementTree.parse(tmp_path / "score.xml").getroot()[0]
    assert suite.get("errors") == "1"
    assert suite[0].get("name") == "a<b>&????"
    assert suite[0][0].get("message") == "It says ? and ]]>."
    assert suite[0][0].text == "Try & see <this>."
