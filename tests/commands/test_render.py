"""`talk render` and `talk bench` from the outside: exit codes, stdout and stderr."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from talkcli.app import main
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.types import Motion


def _talk(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["talk", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("motion") / "motion.npz"
    write_motion(path, Motion(coeffs=np.zeros((5, 53), np.float32), fps=25.0, head="ada", channels=ADA))
    return path


def test_json_is_one_document_and_the_video_is_there(
    motion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        _talk(monkeypatch, "render", str(motion), "--out", str(tmp_path / "x.mp4"), "--size", "64", "--json")
        == 0
    )
    document = json.loads(capsys.readouterr().out)
    assert document["frames"] == 5
    assert document["renderer"] == "software"
    assert (tmp_path / "x.mp4").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["render", "absent.npz", "--out", "x.mp4"], 3, "absent.npz"),
        (["render", "{motion}", "--out", "x.avi"], 2, ".avi"),
        (["render", "{motion}", "--out", "x.mp4", "--size", "65"], 2, "even"),
        (["render", "{motion}", "--out", "x.mp4", "--view", "top"], 2, "three-quarter"),
        (["bench", "coffee"], 2, "talk bench render"),
    ],
)
def test_mistakes_are_sentences_with_an_exit_code(
    motion: Path,
    arguments: list[str],
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _talk(monkeypatch, *[argument.format(motion=motion) for argument in arguments]) == code
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert says in said.err
    assert said.out == ""


def test_ctrl_c_ends_with_130_a_sentence_and_no_file(tmp_path: Path) -> None:
    long = tmp_path / "long.npz"
    write_motion(long, Motion(coeffs=np.zeros((9000, 53), np.float32), fps=25.0, head="ada", channels=ADA))
    # Whoever runs the tests in the background has the signal ignored, and children inherit that.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from talkcli.app import main; main()"
    )
    command = [sys.executable, "-c", program, "render", "long.npz", "--out", "x.mp4"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        # The encoder's temporary file says that drawing has begun.
        while process.poll() is None and not list(tmp_path.glob(".talk-*/*.mp4")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert [line for line in err.splitlines() if line.startswith("error: interrupted")], err
    assert "Traceback" not in err
    assert out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["long.npz"]
