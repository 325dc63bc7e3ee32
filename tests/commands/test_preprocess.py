from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from talkcli.commands.preprocess import app
from talkcli.engine.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sounds, one of them with motion."""
    root = tmp_path / "root"
    root.mkdir()
    for name in ("a", "b"):
        soundfile.write(root / f"{name}.wav", 0.1 * np.sin(np.arange(16_000) * 0.1), 16_000)
    np.save(root / "a.npy", np.zeros((30, 53)))
    return root


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_folder_prints_counts_and_reasons(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = str(tmp_path / "out")
    text = run("folder", str(folder), "--out", out, "--fps", "30", "--workers", "0", "--licence", "mine")
    assert "left out b" in text
    assert "1 (0 kept" in text
    assert "neutral 1" in text
    assert (tmp_path / "out" / "manifest.jsonl").is_file()


def test_json_is_one_document(folder: Path, tmp_path: Path) -> None:
    arguments = (
        "folder",
        str(folder),
        "--out",
        str(tmp_path / "out"),
        "--fps",
        "30",
        "--workers",
        "0",
        "--json",
    )
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    document = json.loads(result.stdout)
    assert document["clips"] == 1
    assert document["hours"] == pytest.approx(1 / 3600, abs=1e-4)
    assert list(document["dropped"]) == ["b"]
    again = json.loads(CliRunner().invoke(app, list(arguments), catch_exceptions=False).stdout)
    assert again["kept"] == 1


def test_an_unknown_head_is_a_usage_error(folder: Path, tmp_path: Path) -> None:
    arguments = ["folder", str(folder), "--out", str(tmp_path / "out"), "--fps", "30", "--head", "bob"]
    with pytest.raises(UsageError, match="--head bob"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_every_source_is_listed() -> None:
    text = run("--help")
    for name in ("folder", "facegood", "corpus", "debug", "live-link"):
        assert name in text
