from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from talkcli.commands.preprocess import app
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import UsageError
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.pipelines import preprocess as pipeline
from talkcli.engine.pipelines.preprocess import DATA_SETS
from talkcli.engine.prepare.source import Source
from tests.engine.prepare.adapters.test_mead import write_clip as write_mead_clip
from tests.engine.prepare.test_build import source

BARE = ("--source-fps", "30", "--layout", "flame-53")


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
    text = run("folder", str(folder), "--out", out, *BARE, "--workers", "0", "--licence", "mine")
    assert "left out b" in text
    assert "1 (0 kept" in text
    assert "neutral 1" in text
    assert (tmp_path / "out" / "manifest.jsonl").is_file()


def test_json_is_one_document(folder: Path, tmp_path: Path) -> None:
    arguments = ("folder", str(folder), "--out", str(tmp_path / "out"), *BARE, "--workers", "0", "--json")
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    document = json.loads(result.stdout)
    assert document["clips"] == 1
    assert document["hours"] == pytest.approx(1 / 3600, abs=1e-4)
    assert list(document["dropped"]) == ["b"]
    again = json.loads(CliRunner().invoke(app, list(arguments), catch_exceptions=False).stdout)
    assert again["kept"] == 1


def test_an_unknown_layout_is_a_usage_error(folder: Path, tmp_path: Path) -> None:
    arguments = ["folder", str(folder), "--out", str(tmp_path / "out"), *BARE[:-1], "flame-54"]
    with pytest.raises(UsageError, match="flame-54"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_clean_up_is_one_set_of_options(folder: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    run("folder", str(folder), "--out", out, *BARE, "--workers", "0", "--fps", "25", "--smooth")
    (entry,) = read_manifest(tmp_path / "out")
    assert (entry.fps, entry.num_frames) == (25, 25)
    _, meta = read_motion(tmp_path / "out" / str(entry.motion))
    assert meta["cleanup"] == {"fps": 25.0, "smooth": True}


def test_mead_says_what_it_found(tmp_path: Path) -> None:
    for uid in ("M003_3_3_001", "M032_3_3_001", "M001_3_3_001"):
        write_mead_clip(tmp_path / "root", uid)
    rows = np.full((30, 156), 0.1)
    rows[0, 0] = 6
    np.save(tmp_path / "root/MEAD/flame_param/M003/M003_3_3_001.npy", rows)
    arguments = ["mead", str(tmp_path / "root"), "--out", str(tmp_path / "out"), "--workers", "0", "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    document = json.loads(result.stdout)
    assert document["splits"] == {"train": 1, "val": 1}
    assert document["emotions"] == {"happy": 2}
    assert not document["dropped"]
    said = " ".join(result.stderr.split())
    assert "Left out 1 actor who is in no split: M001" in said
    assert "Values that no face takes in mead/M003_3_3_001; the first: expression00 is 6 in frame 0" in said
    again = json.loads(CliRunner().invoke(app, arguments, catch_exceptions=False).stdout)
    assert again["kept"] == 2


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_data_set_takes_its_options_and_prints_one_document(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its adapter, which is called as it wants to be."""
    given: list[inspect.BoundArguments] = []

    def pretended(data_set: pipeline.DataSet) -> Callable[..., list[Source]]:
        signature = inspect.signature(sources_of(data_set))

        def sources(*arguments: object, **options: object) -> list[Source]:
            given.append(signature.bind(*arguments, **options))
            return [source("a"), source("b", fails=True)]

        return sources

    sources_of = pipeline._sources_of
    monkeypatch.setattr(pipeline, "_sources_of", pretended)
    monkeypatch.setattr(pipeline, "require", lambda package, purpose: None)
    out = tmp_path / "out"
    (tmp_path / "root").mkdir()
    arguments = [name, str(tmp_path / "root"), "--out", str(out), "--workers", "0", "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    document = json.loads(result.stdout)
    assert (document["clips"], list(document["dropped"])) == (1, ["b"])
    assert len(given) == 1
    assert f"Made by `talk preprocess {name}`" in (out / "CARD.md").read_text()


def test_two_runs_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    places = [tmp_path / name / "set" for name in ("first", "second")]
    moved = Path(shutil.copytree(folder, tmp_path / "moved"))
    for out, root, workers in zip(places, (folder, moved), ("0", "2"), strict=True):
        run("folder", str(root), "--out", str(out), *BARE, "--fps", "25", "--workers", workers)
    first, second = (
        {
            path.relative_to(out).as_posix(): path.read_bytes().replace(bytes(root), b"ROOT")
            for path in out.rglob("*")
            if path.is_file() and path.name != ".lock"
        }
        for out, root in zip(places, (folder, moved), strict=True)
    )
    assert first.keys() >= {"manifest.jsonl", "manifest.parquet", "CARD.md", "report.jsonl", "audio/a.flac"}
    assert first == second


def test_every_source_is_listed() -> None:
    text = run("--help")
    for name in (*DATA_SETS, "corpus", "debug", "check", "stats", "shards", "emovox"):
        assert f" {name} " in text
