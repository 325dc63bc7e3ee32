from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from talkcli.commands.score import app
from talkcli.engine.errors import InputError, UsageError
from tests.engine.pipelines.score.study.answers import answer, preferring, result, write


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of five careful raters and of one who failed a check."""
    monkeypatch.setenv("COLUMNS", "400")
    rng = np.random.default_rng(0)
    raters = [preferring(number, {0: 5, 1: 4, 2: 5, 3: 5, 4: 4}, rng) for number in range(5)]
    careless = [answer(0), answer(1, "told", want=1)]
    return write(tmp_path / "answers", [*raters, result(9, careless, code="K7")])


def test_the_table_names_raters_who_are_left_out(answers: Path) -> None:
    done = CliRunner().invoke(app, ["study-results", str(answers)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "warning: Left out, rater 0000000000000009 (K7): failed 1 of 1 check (told)." in done.stderr
    row = next(line for line in done.stdout.splitlines() if "  lips  " in line)
    assert row.startswith("ours / theirs") and "4.6" in row and " yes " in row and "25 (5 x 5)" in row
    assert "5 raters of 6 kept" in done.stdout


def test_the_table_says_when_a_difference_may_be_chance(tmp_path: Path) -> None:
    raters = [preferring(number, {number: 4}, np.random.default_rng(number)) for number in range(6)]
    folder = write(tmp_path / "answers", raters)
    done = CliRunner().invoke(app, ["study-results", str(folder)], catch_exceptions=False)
    row = next(line for line in done.stdout.splitlines() if "  lips  " in line)
    assert " not after Holm " in row


def test_json_is_one_document(answers: Path) -> None:
    done = CliRunner().invoke(app, ["study-results", str(answers), "--json"], catch_exceptions=False)
    document = json.loads(done.stdout)
    assert document["format"] == "talk-study-table"
    assert document["raters"]["dropped"][0]["code"] == "K7"
    assert [row["question"] for row in document["pairs"]] == ["emotion", "lips"]
    assert document["correlations"] == []


def test_scores_are_of_the_method_that_the_file_is_called(answers: Path, tmp_path: Path) -> None:
    for name, values in (("ours", [1.0, 2.0, 3.0]), ("x", [0.0, 0.0, 0.0])):
        clips = [
            {"id": f"clip{index}", "metrics": {"lve_mm": {"value": value}}}
            for index, value in enumerate(values)
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps({"clips": clips}))
    scores = ["--scores", str(tmp_path / "ours.json"), "--scores", f"theirs={tmp_path / 'x.json'}"]
    done = CliRunner().invoke(app, ["study-results", str(answers), *scores], catch_exceptions=False)
    assert "lve_mm" in done.stdout and "3 pairs of clips have both, 5 are needed" in done.stdout
    with pytest.raises(UsageError, match="twice"):
        CliRunner().invoke(
            app, ["study-results", str(answers), *scores[:2], *scores[:2]], catch_exceptions=False
        )


def test_errors_are_sentences(answers: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.json"):
        CliRunner().invoke(app, ["study-results", str(tmp_path / "nothing.json")], catch_exceptions=False)
    with pytest.raises(UsageError, match="METHOD=DIR"):
        CliRunner().invoke(
            app, ["study", "a", "b=c", "--out", str(tmp_path / "o.html")], catch_exceptions=False
        )
    with pytest.raises(InputError, match="is no folder"):
        folders = [f"a={tmp_path / 'x'}", f"b={tmp_path / 'y'}"]
        CliRunner().invoke(
            app, ["study", *folders, "--out", str(tmp_path / "o.html")], catch_exceptions=False
        )
    assert not (tmp_path / "o.html").exists()
