"""Files that `talk score` writes: never in place of an input, and never in place of the numbers on stdout."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from talkcli.commands.score import app
from talkcli.engine.errors import InputError, UsageError


def test_an_output_is_no_input_and_named_once(arguments: list[str], tmp_path: Path) -> None:
    true = tmp_path / "true.npz"
    before = true.read_bytes()
    (tmp_path / "link").symlink_to(tmp_path)
    refused = (
        ["--report", str(true)],
        ["--junit", str(tmp_path / "link" / "true.npz")],
        ["--report", str(tmp_path / "new"), "--junit", str(tmp_path / "link" / "new")],
    )
    for options in refused:
        result = CliRunner().invoke(app, [*arguments, *options])
        assert isinstance(result.exception, UsageError), options
    in_folder = [str(tmp_path), "--head", arguments[-1], "--junit", str(true)]
    assert isinstance(CliRunner().invoke(app, in_folder).exception, UsageError)
    by_name = ["--dataset", tmp_path.name, "--junit", str(true)]
    result = CliRunner().invoke(app, by_name, env={"TALK_DATA": str(tmp_path.parent)})
    assert isinstance(result.exception, UsageError)
    compared = CliRunner().invoke(app, ["study", f"a={tmp_path}", f"b={true}", "--out", str(true)])
    assert isinstance(compared.exception, UsageError)
    assert true.read_bytes() == before
    # A file of test cases may lie beside the motion, and a second run replaces it.
    (tmp_path / "score.xml").write_text("of an earlier run")
    result = CliRunner().invoke(
        app, [*arguments, "--motions", str(tmp_path), "--junit", str(tmp_path / "score.xml")]
    )
    assert not isinstance(result.exception, UsageError) or "also read" not in result.exception.problem


@pytest.mark.parametrize("as_json", [False, True])
def test_a_page_that_fails_loses_no_number(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    def fail(*_: object) -> None:
        raise InputError("no picture")

    monkeypatch.setattr("talkcli.engine.pipelines.score.report.page.collect", fail)
    options = ["--report", str(tmp_path / "page.html"), *(["--json"] if as_json else [])]
    result = CliRunner().invoke(app, [*arguments, *options])
    assert "mve_mm" in result.stdout and not (tmp_path / "page.html").exists()
    if as_json:
        assert "overall" in json.loads(result.stdout)
        assert result.exit_code == InputError.exit_code and "no picture" in result.stderr
    else:
        assert isinstance(result.exception, InputError)


def test_the_page_gets_the_regions_and_the_kept_motion(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, object]] = []
    monkeypatch.setattr("talkcli.commands.score_motions.write_page", lambda *_, **kept: given.append(kept))
    monkeypatch.setattr(
        "talkcli.engine.pipelines.score.motions.score_motions",
        lambda *_, **__: {"overall": {}, "clips": [], "thresholds": [], "missed": []},
    )
    monkeypatch.setattr("talkcli.commands.score_motions.show_motions", lambda *_, **__: None)
    regions = tmp_path / "regions.json"
    page = ["--report", str(tmp_path / "page.html")]
    CliRunner().invoke(
        app, ["--audio", "a.wav", "--vertex-sets", str(regions), *page], catch_exceptions=False
    )
    CliRunner().invoke(app, ["--audio", "a.wav", "--no-cache", *page], catch_exceptions=False)
    assert given[0]["sources"].vertex_sets == regions  # type: ignore[attr-defined]
    assert given[0]["generation"].cache is not None  # type: ignore[attr-defined]
    assert given[1]["generation"].cache is None  # type: ignore[attr-defined]


def test_a_score_without_thresholds_is_a_case_that_passed(arguments: list[str], tmp_path: Path) -> None:
    options = ["--metric", "mve_mm", "--junit", str(tmp_path / "score.xml")]
    CliRunner().invoke(app, [*arguments, *options], catch_exceptions=False)
    suite = ElementTree.parse(tmp_path / "score.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "0")
    assert [(case.get("name"), len(case)) for case in suite] == [("score", 0)]
