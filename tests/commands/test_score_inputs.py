"""Odd and hostile inputs of `talk score` end with a sentence; what is scored says where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from talkcli.commands.score import app
from talkcli.engine.audio.io import write_wav
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import read_motion, write_motion
from talkcli.engine.pipelines.preprocess import preprocess_debug
from talkcli.engine.types import Motion, Silent, Speech


def move(path: Path, frames: int = 30, fps: float = 25.0, size: float = 0.2, head: str = "ada") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    coeffs = (size * np.random.default_rng(frames).random((frames, 53))).astype(np.float32)
    write_motion(path, Motion(coeffs=coeffs, fps=fps, head=head, channels=ADA))
    return path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve performed clips, all in train and val."""
    out = tmp_path_factory.mktemp("data") / "debug"
    preprocess_debug(out, reporter=Silent())
    return out


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    move(tmp_path / "a.npz")
    move(tmp_path / "b" / "a.npz")
    move(tmp_path / "takes" / "a.take1.npz")
    move(tmp_path / "takes" / "a.take01.npz")
    move(tmp_path / "other.npz", head="nobody")
    move(tmp_path / "folder.npz" / "x.npz")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "zero.npz").write_bytes(b"")
    (tmp_path / "sound.wav").write_bytes(b"RIFF")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.jsonl").write_text("{}\n")
    (tmp_path / "two").mkdir()
    for suffix in ("wav", "flac"):
        write_wav(tmp_path / "two" / f"a.{suffix}", Speech(samples=np.zeros(16_000, np.float32)))
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        "", "absent.npz", "empty", "text.npz", "zero.npz", "a.npz a.npz", "a.npz b", "takes", "other.npz",
        "a.npz --truth absent.npz", "a.npz --truth empty", "a.npz --truth text.npz",
        "a.npz --audio absent.wav", "a.npz --audio sound.wav", "a.npz --audio empty", "a.npz --audio two",
        "--audio empty", "--audio absent", "--audio two", "a.npz --text absent.txt",
        "a.npz --reference absent", "a.npz --reference empty", "a.npz --head nobody", "a.npz --head text.npz",
        "a.npz --fail-under lve=1", "a.npz --fail-under lve_mm", "a.npz --fail-under =1",
        "a.npz --fail-under lve_mm=nan", "a.npz --fail-over lve_mm=1=2", "a.npz --fail-over LVE_MM=1",
        "a.npz --split val", "--dataset bad", "--dataset ./bad", "--dataset a.npz", "--dataset absent.jsonl",
        "--audio two/a.wav --model absent", "--audio two/a.wav --model text.npz",
        "--audio two/a.wav --model rules", "--audio two/a.wav --actor who", "--audio two/a.wav --device x",
        "--table emotion --audio two/a.wav", "--table emotion --dataset absent", "--table diversity",
        "--table diversity --dataset bad", "--table emotion --split val --audio two/a.wav",
        "--table diversity --audio two/a.wav --takes 1", "dataset absent", "dataset bad", "dataset .",
        "emotion --audio two/a.wav --model rules", "diversity --audio two/a.wav --model rules",
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_said(arguments: str, odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(odd)
    monkeypatch.setenv("TALK_DATA", "nothing")
    alone = [] if "--table" in arguments or "rules" in arguments else ["--workers", "0"]
    result = CliRunner().invoke(app, [*arguments.split(), *alone])
    assert isinstance(result.exception, TalkError), (result.exception, result.output)
    assert 10 < len(result.exception.problem) < 1000
    assert result.stdout == ""


def test_the_debug_set_has_no_test_split(prepared: Path) -> None:
    result = CliRunner().invoke(app, ["--dataset", str(prepared)])
    assert isinstance(result.exception, InputError)
    assert "8 in train and 4 in val" in result.exception.problem
    assert "--split train" in (result.exception.hint or "")


@pytest.mark.parametrize(("frames", "fps"), [(1, 25.0), (2, 25.0), (3, 60.0), (50, 0.1), (400, 1000.0)])
def test_odd_lengths_and_rates_have_values_or_reasons(frames: int, fps: float, tmp_path: Path) -> None:
    one, other = move(tmp_path / "a.npz", frames, fps), move(tmp_path / "b.npz", 30)
    result = CliRunner().invoke(app, [str(one), "--truth", str(other), "--json"], catch_exceptions=False)
    report = json.loads(result.stdout)
    for name, found in report["overall"].items():
        assert (found["value"] is None) == (found["reason"] is not None), name


def test_performed_truth_is_named_in_its_cells_whatever_the_number_of_workers(prepared: Path) -> None:
    entries = [entry for entry in read_manifest(prepared) if entry.split == "val"]
    predictions = [str(prepared / (entry.motion or "")) for entry in entries]
    reports = []
    for workers in ("0", "2"):
        arguments = [*predictions, "--dataset", str(prepared), "--split", "val", "--workers", workers]
        result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
        reports.append(result.stdout)
    assert reports[0] == reports[1]
    report = json.loads(reports[0])
    assert report["dataset"] == {
        "name": str(prepared), "manifest": str(prepared / "manifest.jsonl"), "split": "val", "clips": 4,
    }  # fmt: skip
    assert report["truth"] == {
        "origins": {"performed by rules": 4}, "kinds": "performed", "stand_in": True,
        "text": "performed by rules",
    }  # fmt: skip
    assert report["motion"] == {"performed by rules": 4}
    assert [clip["id"] for clip in report["clips"]] == [entry.id for entry in entries]
    assert report["overall"]["lve_mm"]["truth"] == "performed"
    assert report["overall"]["jump_mm"]["spread"]["sd"] >= 0
    assert set(report["emotions"]) == {"neutral", "happy", "sad", "angry"}
    result = CliRunner().invoke(app, [*arguments[:-2], "--workers", "0"], env={"COLUMNS": "80"})
    assert "lve_mm " in result.stdout and "0.000 mm vs performed" in result.stdout
    assert "truth: performed by rules - a stand-in: no face was measured" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines() if str(prepared) not in line) <= 80


def test_files_that_do_not_say_are_of_unknown_origin(tmp_path: Path) -> None:
    path = move(tmp_path / "a.npz")
    assert read_motion(path)[1] == {}
    result = CliRunner().invoke(app, [str(path), "--truth", str(path)], catch_exceptions=False)
    assert "0.000 mm vs unknown" in result.stdout
    assert "truth: of unknown origin\n" in result.stdout
    assert "motion: of unknown origin\n" in result.stdout


def test_a_split_is_for_a_data_set(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(move(tmp_path / "a.npz")), "--split", "train"])
    assert isinstance(result.exception, UsageError)
