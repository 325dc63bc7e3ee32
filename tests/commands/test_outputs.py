"""What `talk animate` and `talk render` write to: said or refused before any work is done."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from talkcli import app as module
from talkcli.commands.animate import animate
from talkcli.engine.checkpoints.model_file import load_model, shipped_weights
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.types import EMOTIONS, Motion

ROOT = Path(__file__).resolve().parents[2]
HELLO = str(ROOT / "examples" / "hello.wav")
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a motion file, links and a folder of frames."""
    motion = Motion(coeffs=np.zeros((2, len(ADA)), np.float32), fps=25.0, head="ada", channels=ADA)
    write_motion(tmp_path / "m.npz", motion)
    for name in ("loop.npz", "loop.mp4"):
        (tmp_path / name).symlink_to(name)
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "frame_000000.png").touch()
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "-dash.wav").write_bytes(Path(HELLO).read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def end(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["talk", *arguments])
    with pytest.raises(SystemExit) as exit_:
        module.main()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["animate", HELLO, "--out", "loop.npz"], 3, "leads back to itself"),
        (["animate", HELLO, "--out", "loop.mp4"], 3, "leads back to itself"),
        (["animate", HELLO, "--out", "loop.npz/x.npz"], 3, "leads back to itself"),
        (["render", "m.npz", "--out", "loop.mp4"], 3, "leads back to itself"),
        (["animate", HELLO, "--out", "-"], 2, "not written to stdout"),
        (["render", "m.npz", "--out", "-"], 2, "not written to stdout"),
        (["animate", "-", "--out", "x.npz"], 2, "not read from stdin"),
        (["animate", "-dash.wav", "--out", "x.npz"], 2, "given as ./-dash.wav"),
        (["animate", HELLO, "--out", "x.avi"], 2, "ends in one of .npz, .mp4"),
        (["render", "m.npz", "--out", "x.npz"], 2, "ends in one of .mp4, .webm, .mov, .gif, or"),
        (["animate", HELLO, "--out", "frames"], 2, "--overwrite"),
        (["render", "m.npz", "--out", "frames"], 2, "--overwrite"),
        (["animate", HELLO, HELLO, "--out", "x.npz"], 2, "give --out-dir"),
        (["animate", "frames", "--out", "x.npz"], 3, "give --out-dir"),
        (["animate", HELLO, "--out", "x.npz", "--takes", "100000000"], 2, "--takes"),
        (["animate", HELLO, "--out", "folder.mp4"], 3, "is a folder"),
        (["animate", HELLO, "--out", "m.npz/x.npz"], 1, "m.npz"),
    ],
)
def test_outputs_that_cannot_be_are_refused(
    arguments: list[str], code: int, said: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    before = {path: path.lstat().st_mtime_ns for path in place.rglob("*")}
    assert end(monkeypatch, *arguments) == code
    err = capsys.readouterr().err
    assert said in err
    assert "a bug in talk" not in err
    assert {path: path.lstat().st_mtime_ns for path in place.rglob("*")} == before


def test_suffixes_may_be_upper_case_and_bare_names_are_told(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    assert end(monkeypatch, "render", "m.npz", "--size", "64", "--out", "V.MP4", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == ["V.MP4"]
    assert (place / "V.MP4").read_bytes()[4:8] == b"ftyp"
    assert end(monkeypatch, "render", "m.npz", "--size", "64", "--out", "face") == 0
    out, err = capsys.readouterr()
    assert "face becomes a folder of PNG frames" in err
    assert out == "face\n"
    assert end(monkeypatch, "render", "m.npz", "--size", "64", "--out", "face", "--overwrite") == 0
    assert "becomes" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["v.mp4", "frames_of_it"])
def test_a_limit_on_file_sizes_is_a_sentence_and_leaves_nothing(place: Path, name: str) -> None:
    program = 'ulimit -f 1; exec "$0" -m talkcli render m.npz --size 256 --out $1'
    command = ["sh", "-c", program, sys.executable, name]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    ended = result.stdout + result.stderr
    assert result.returncode == 1
    assert name in ended and ".talk-" not in ended
    assert "bug" not in ended and "Traceback" not in ended
    assert not (place / name).exists()
    assert not list(place.glob(".talk-*"))


def test_help_offers_the_emotions_that_the_embedded_model_knows() -> None:
    model, _ = load_model(shipped_weights(), "cpu")
    known = [
        label
        for label, anchor in zip(EMOTIONS, model.dee.anchors, strict=True)
        if anchor.any()  # type: ignore
    ]
    option = animate.__annotations__["emotion"]
    assert f"{', '.join(known[:-1])} and {known[-1]}." in str(option)
