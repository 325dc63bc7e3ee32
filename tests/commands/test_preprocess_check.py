from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from talkcli.commands.preprocess import app
from talkcli.engine.pipelines.preprocess import preprocess_debug
from talkcli.engine.types import Silent


@pytest.fixture(scope="module")
def debug(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("debug")
    preprocess_debug(folder, reporter=Silent())
    return folder


@pytest.fixture
def folder(debug: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(debug, tmp_path / "copy"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--workers", "0"], catch_exceptions=False)


def test_check_and_stats_of_a_whole_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    checked = run("check", str(folder))
    assert checked.exit_code == 0
    assert "12 clips, 0 broken" in checked.output
    assert "dBFS" in run("stats", str(folder / "manifest.jsonl")).output
    document = json.loads(run("stats", str(folder), "--json").stdout)
    assert document["groups"]["splits"]["train"]["clips"] == 8
    assert (folder / "CARD.md").read_text().count("| 8 | 2 |") == 1


def test_a_broken_clip_ends_with_3_and_one_document(folder: Path) -> None:
    (folder / "motion" / "low-sad.npz").unlink()
    result = run("check", str(folder), "--json", "--quiet")
    assert result.exit_code == 3
    assert "Broken: 1 of 12 clips, the first: low-sad" in result.stderr
    document = json.loads(result.stdout)
    assert (document["broken"], document["clips"], len(document["lags"])) == (1, 12, 11)
    text = f"{folder / 'motion' / 'low-sad.npz'} is missing."
    assert document["findings"] == [{"clip": "low-sad", "kind": "missing", "text": text, "broken": True}]
    assert set(document["lags"]["low-happy"]) == {"ms", "error_ms", "r"}


def test_shards_of_a_set(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "shards"
    arguments = ["shards", str(folder), "--out", str(out), "--max-clips", "5", "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert json.loads(result.stdout) == {
        "indices": [str(out / "train.json"), str(out / "val.json")], "shards": 3, "kept": 0, "clips": 12,
    }  # fmt: skip
    assert json.loads((out / "val.json").read_text())["shardlist"][0]["nsamples"] == 4
    again = CliRunner().invoke(app, arguments[:-1], catch_exceptions=False)
    assert "12 clips in 3 shards (3 kept)" in again.output


def test_a_doubtful_clip_does_not_fail(folder: Path) -> None:
    manifest = folder / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace('"split":"train"', '"split":"test"', 1))
    result = run("check", str(folder))
    assert result.exit_code == 0
    assert "doubtful" in result.output
