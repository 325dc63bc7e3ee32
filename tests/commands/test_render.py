"""`talk render` and `talk bench` from the outside: exit codes, stdout and stderr."""

from __future__ import annotations

import json
import sys
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
