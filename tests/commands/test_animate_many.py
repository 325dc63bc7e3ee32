"""`talk animate` with many speech files: exit codes, the document, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.io import write_wav
from talkcli.engine.types import SPEECH_RATE_HZ, Speech
from tests.talk_process import talk


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    folder = tmp_path / "takes"
    folder.mkdir()
    for name in "ab":
        sound = np.random.default_rng(ord(name)).normal(0, 0.1, SPEECH_RATE_HZ // 2).astype(np.float32)
        write_wav(folder / f"{name}.wav", Speech(samples=sound))
    return folder


def test_one_broken_file_is_told_and_the_others_are_made(takes: Path, tmp_path: Path) -> None:
    (takes / "c.wav").write_bytes(b"no sound at all, but text of some length")
    given = ("animate", "takes", "--out-dir", "out", "--format", "npz,csv", "--workers", 0)
    made = talk(*given, "--json", cwd=tmp_path)
    assert made.returncode == 3, made.stderr
    document = json.loads(made.stdout)
    assert {key: document[key] for key in ("made", "kept", "failed")} == {"made": 2, "kept": 0, "failed": 1}
    assert [record["state"] for record in document["files"]] == ["made", "made", "failed"]
    first, last = document["files"][0], document["files"][-1]
    assert first["speech"] == "takes/a.wav" and first["outputs"] == ["out/a.npz", "out/a.csv"]
    assert first["frames"] == 13 and first["head"] == "ada" and first["sound"]["level_dbfs"] < 0
    assert last["speech"] == "takes/c.wav" and last["error"]["exit_code"] == 3
    assert "warning: left out c: takes/c.wav" in made.stderr
    assert "error: 1 file of 3 could not be animated" in made.stderr
    (takes / "c.wav").unlink()
    again = talk(*given, "--quiet", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.split() == ["out/a.npz", "out/a.csv", "out/b.npz", "out/b.csv"]


def test_a_plot_and_a_sheet_of_one_file(takes: Path, tmp_path: Path) -> None:
    pictures = ("--plot", "p.png", "--contact-sheet", "s.png", "--size", 64)
    made = talk("animate", "takes/a.wav", "--out", "a.npz", *pictures, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout.split() == ["a.npz", "p.png", "s.png"]
    assert all((tmp_path / name).read_bytes()[1:4] == b"PNG" for name in ("p.png", "s.png"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["takes/a.wav", "takes/b.wav", "--out", "o.npz"], "and there are 2: takes/a.wav, takes/b.wav"),
        (["takes/a.wav"], "Missing option --out"),
        (["takes/a.wav", "--out", "o.npz", "--out-dir", "d"], "--out and --out-dir both"),
        (["takes/a.wav", "--out", "o.npz", "--workers", "2"], "--workers is for many"),
        (["takes/a.wav", "--out", "o.npz", "--format", "npz"], "--format is for many"),
        (["takes/a.wav", "--out-dir", "d", "--overwrite"], "--overwrite has no effect"),
        (["takes", "--out-dir", "takes/d"], "--out-dir takes/d lies in takes"),
        (["takes/a.wav", "--out-dir", "d", "--format", "avi"], "--format avi is unknown"),
        (["takes/a.wav", "--out-dir", "d", "--actor", "Nobody"], "no actor Nobody"),
    ],
)
def test_what_does_not_fit_is_refused(given: list[str], words: str, takes: Path, tmp_path: Path) -> None:
    workers = ("--workers", 0) if "d" in given else ()
    refused = talk("animate", *given, *workers, cwd=tmp_path)
    assert refused.returncode == 2 and words in refused.stderr, refused.stderr
    assert [path.name for path in tmp_path.rglob("*.npz")] == []


def test_a_folder_for_one_output_names_the_option(takes: Path, tmp_path: Path) -> None:
    refused = talk("animate", "takes", "--out", "o.npz", cwd=tmp_path)
    assert refused.returncode == 3 and "--out-dir" in refused.stderr
