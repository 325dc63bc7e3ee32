"""`examples/captured_faces.py` refuses what it cannot do, and says why."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "captured_faces.py"


def ended(monkeypatch: pytest.MonkeyPatch, *args: str) -> object:
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, *args])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return stopped.value.code


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ("", "nothing to do"),
        ("--fitted a", "need each other"),
        ("--out a.json", "need each other"),
        ("--held-out a", "need --fitted"),
        ("--curves a --layers b", "need --fitted"),
    ],
)
def test_arguments_that_do_nothing_are_refused(
    args: str, reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, *args.split()) == 2
    assert reason in capsys.readouterr().err


def test_bad_input_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, "--compare", str(tmp_path / "missing")) == 3
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "Traceback" not in told
