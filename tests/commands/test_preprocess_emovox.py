from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from talkcli.commands.preprocess import app
from talkcli.engine.errors import UsageError
from talkcli.engine.pipelines.preprocess import preprocess_debug
from talkcli.engine.types import Silent


@pytest.fixture(scope="module")
def anchors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("anchors")
    preprocess_debug(folder, reporter=Silent())
    return folder


@pytest.fixture
def call(tmp_path: Path, anchors: Path) -> list[str]:
    (tmp_path / "pile").mkdir()
    rng = np.random.default_rng(0)
    for index in range(3):
        soundfile.write(tmp_path / "pile" / f"{index}.wav", 0.1 * rng.standard_normal(32_000), 16_000)
    places = [str(tmp_path / "pile"), "--anchors", str(anchors), "--out", str(tmp_path / "out")]
    return ["emovox", *places, "--workers", "0", "--device", "cpu", "--anchor-level", "0.5"]


def test_one_document_with_json_and_a_table_without(call: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    options = [
        "--threshold",
        "-1",
        "--list-only",
        "--anchor-emotions",
        "angry,happy",
        "--compare-with",
        "speech",
    ]
    result = CliRunner().invoke(app, [*call, *options, "--json", "--quiet"], catch_exceptions=False)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["candidates"], document["chosen"], document["manifest"]) == (3, 3, None)
    assert set(document["emotions"]) <= {"angry", "happy"}
    shown = CliRunner().invoke(app, [*call, *options], catch_exceptions=False)
    assert "3, of which 3 have a score" in shown.stdout
    assert "not made (--list-only)" in shown.stdout
    assert "stands in" in shown.stderr


def test_two_ways_to_choose_are_one_too_many(call: list[str]) -> None:
    with pytest.raises(UsageError, match="give one of them"):
        CliRunner().invoke(app, [*call, "--threshold", "0.5", "--hours", "1"], catch_exceptions=False)
