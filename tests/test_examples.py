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

import numpy as np
import pytest

from talkcli.engine.face.channels import ADA, NUM_COEFFS
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.types import Motion

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


def test_kalman_filter_says_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    coeffs = np.zeros((2, 90, NUM_COEFFS), np.float32)
    coeffs[..., ADA.index("jawPitch")] = 0.1 * (1 - np.cos(2 * np.pi * 2 * np.arange(90) / 30))
    coeffs += 0.02 * np.random.default_rng(0).normal(size=coeffs.shape).astype(np.float32)
    (tmp_path / "motion").mkdir()
    for index, clip in enumerate(coeffs):
        motion = Motion(coeffs=clip, fps=30.0, head="ada", channels=ADA)
        write_motion(tmp_path / "motion" / f"{index}.npz", motion)
    monkeypatch.setattr(sys, "argv", ["kalman_filter.py", str(tmp_path), "--hz", "6"])
    runpy.run_path(str(ROOT / "examples" / "kalman_filter.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert "2 clips at 30 fps" in said
    found = {
        passes: tuple(map(float, numbers))
        for passes, *numbers in re.findall(
            r"^(\w+) +6 Hz  jaw (\S+)  late (\S+) frames  trembling (\S+)$", said, re.M
        )
    }
    assert found["both"][2] < found["forward"][2] < 1
    assert abs(found["both"][1]) < 0.1 and 0.8 < found["both"][0] < 1.1


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
