"""The scripts in examples/ do what they say."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_own_clips(tmp_path: Path) -> None:
    ended = subprocess.run(
        ["bash", "examples/own_clips.sh", tmp_path / "takes", tmp_path],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    made, checked, packed = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("clips", "check", "shards")
    )
    assert (made["clips"], made["dropped"], made["emotions"]) == (1, {}, {"happy": 1})
    assert not any(finding["broken"] for finding in checked["findings"])
    assert packed["clips"] == 1
    with tarfile.open(tmp_path / "shards" / "train-000000.tar") as shard:
        assert shard.getnames() == [f"ada%2Fhello.{kind}" for kind in ("json", "flac", "npz")]
    assert "sound and motion" in ended.stdout


def test_moods_counts_every_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ROOT / "examples" / "hello.wav", tmp_path)
    monkeypatch.setattr(sys, "argv", ["moods.py", str(tmp_path), "--takes", "2"])
    runpy.run_path(str(ROOT / "examples" / "moods.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert re.search(r"^hello +(?:(?:plain|smiles|scowls) +){2}\d+\.\d+ mm  [a-z]+ 0\.\d+", said)
    assert re.search(r"^plain: [0-2] of 2$", said, re.MULTILINE)


@pytest.mark.parametrize(("more", "said"), [([], "holds no sound"), (["--takes", "1"], "--takes 2")])
def test_moods_refuses_what_it_cannot_count(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    said: str,
) -> None:
    if more:
        shutil.copy(ROOT / "examples" / "hello.wav", tmp_path)
    monkeypatch.setattr(sys, "argv", ["moods.py", str(tmp_path), *more])
    with pytest.raises(SystemExit):
        runpy.run_path(str(ROOT / "examples" / "moods.py"), run_name="__main__")
    assert said in capsys.readouterr().err
