from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.pipelines.score.study.results import Answer, read_results
from tests.engine.pipelines.score.study.answers import answer, result, write


def test_good_results_are_read_in_order(tmp_path: Path) -> None:
    read = read_results([write(tmp_path, [result(2, [answer(0)]), result(1, [answer(0)])])])
    assert [item.rater[-1] for item in read] == ["2", "1"]


def test_clips_are_called_like_files_of_the_longest_names(tmp_path: Path) -> None:
    document = result(1, [answer(0)])
    document["study"] = document["study"] | {"clips": ["c" * 251, *document["study"]["clips"][1:]]}
    assert read_results([write(tmp_path, [document])])[0].study.clips[0] == "c" * 251


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extra": 1}, "extra"),
        ({"version": 2}, "version"),
        ({"rater": "../../x"}, "rater"),
        ({"code": "x" * 61}, "code"),
        ({"answers": [answer(0, clip=8)]}, "does not have"),
        ({"answers": [answer(0, right=2)]}, "does not have"),
        ({"answers": [answer(0, right=0)]}, "do not fit"),
        ({"answers": [answer(0, kind="same")]}, "do not fit"),
        ({"answers": [answer(0), answer(0)]}, "twice"),
        ({"answers": [answer(0, answers={"lips": 3})]}, "questions of the study"),
        ({"answers": [answer(0, answers={"lips": 3, "emotion": 6})]}, "less than or equal to 5"),
        ({"answers": [answer(0, want=3)]}, "wanted answer"),
        ({"answers": [answer(0, kind="told")]}, "wanted answer"),
        ({"answers": [answer(0, late="left")]}, "late side"),
        ({"answers": [answer(0, seconds=-1)]}, "seconds"),
        ({"answers": [answer(0, hack=1)]}, "hack"),
        ({"study": {"id": "ab" * 8}}, "study"),
        ({"format": "other"}, "format"),
    ],
)
def test_foreign_results_are_refused_with_a_sentence(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    folder = write(tmp_path, [result(1, [answer(0)]) | changes])
    with pytest.raises(InputError, match=words) as caught:
        read_results([folder])
    assert "r000.json" in caught.value.problem


@pytest.mark.parametrize("text", ["", "[]", "{", "NaN", '"x"', "[" * 5000, '{"format": NaN}', "\x00"])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"x\.json"):
        read_results([path])


def test_other_studies_and_repeated_raters_are_refused(tmp_path: Path) -> None:
    other = result(2, [answer(0)])
    other["study"] = other["study"] | {"id": "cd" * 8}
    with pytest.raises(InputError, match="another study"):
        read_results([write(tmp_path / "a", [result(1, [answer(0)]), other])])
    with pytest.raises(InputError, match="same rater"):
        read_results([write(tmp_path / "b", [result(1, [answer(0)]), result(1, [answer(0)])])])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no results"):
        read_results([tmp_path / "empty"])


def test_a_long_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(result(1, [])) + " " * (1 << 22))
    with pytest.raises(InputError, match=r"x\.json"):
        read_results([path])


@pytest.mark.parametrize(
    ("check", "given", "failed"),
    [
        ({"kind": "told", "want": 5}, {"emotion": 5, "lips": 5}, False),
        ({"kind": "told", "want": 5}, {"emotion": 5, "lips": 4}, True),
        ({"kind": "same", "right": 0}, {"emotion": 2, "lips": 4}, False),
        ({"kind": "same", "right": 0}, {"emotion": 1, "lips": 3}, True),
        ({"kind": "late", "right": 0, "late": "left"}, {"emotion": 3, "lips": 4}, False),
        ({"kind": "late", "right": 0, "late": "left"}, {"emotion": 3, "lips": 3}, True),
        ({"kind": "late", "right": 0, "late": "right"}, {"emotion": 3, "lips": 1}, False),
        ({"kind": "late", "right": 0, "late": "right"}, {"emotion": 3, "lips": 5}, True),
        ({}, {"emotion": 1, "lips": 5}, False),
    ],
)
def test_checks_of_attention(check: dict[str, Any], given: dict[str, int], failed: bool) -> None:
    assert Answer.model_validate(answer(0) | check | {"answers": given}).failed() is failed
