"""Errors become sentences and exit codes at the edge of the program."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from talkcli import app as module
from talkcli.engine.errors import DeviceError, TalkError


def run(monkeypatch: pytest.MonkeyPatch, error: BaseException, *, as_json: bool = False) -> int:
    def fail() -> None:
        raise error

    monkeypatch.setattr(module, "app", fail)
    monkeypatch.setattr(sys, "argv", ["talk", *(["--json"] if as_json else [])])
    with pytest.raises(SystemExit) as exit_:
        module.main()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


@pytest.mark.parametrize(
    ("error", "exit_code", "words"),
    [
        (DeviceError("no such device.", hint="Use the CPU."), 6, "hint: Use the CPU."),
        (TalkError("it failed."), 1, "error: it failed."),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "out.mp4"), 1, "Free some space"),
        (OSError(errno.EACCES, "Permission denied", "out.mp4"), 1, "out.mp4"),
        (RuntimeError("surprise"), 1, "a bug in talk: RuntimeError: surprise"),
    ],
)
def test_errors_are_sentences(
    error: BaseException,
    exit_code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, error) == exit_code
    out, err = capsys.readouterr()
    assert words in err
    assert "Traceback" not in err
    assert out == ""


def test_json_errors_are_a_document_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, DeviceError("no such device.", hint="Use the CPU."), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document == {"error": {"problem": "no such device.", "hint": "Use the CPU.", "exit_code": 6}}


@pytest.mark.parametrize("rank", ["0", "1"])
def test_of_several_processes_the_first_speaks_first(
    rank: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []
    said_before: list[str] = []

    def sleep(length_s: float) -> None:
        slept.append(length_s)
        said_before.extend(capsys.readouterr())

    monkeypatch.setattr(module.time, "sleep", sleep)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("RANK", rank)
    assert run(monkeypatch, TalkError("it failed."), as_json=True) == 1
    assert bool(slept) == (rank == "1")
    assert not any(said_before)
    assert "it failed" in capsys.readouterr().err
    # Interrupted are all at once.
    slept.clear()
    assert run(monkeypatch, KeyboardInterrupt()) == 130
    assert not slept
    assert ("interrupted" in capsys.readouterr().err) == (rank == "0")


def test_a_traceback_is_shown_on_demand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TALK_DEBUG", "1")
    run(monkeypatch, RuntimeError("surprise"))
    assert "Traceback" in capsys.readouterr().err


COMMAND = """
import sys
from pathlib import Path
from talkcli import app
from talkcli.console import Console

@app.app.command()
def speak() -> None:
    with Console(as_json=True) as console:
        {body}

sys.argv = ["talk", "speak"]
app.main()
"""


def test_ctrl_c_inside_a_command_is_not_silent() -> None:
    """As it comes, through typer, which keeps KeyboardInterrupt to itself."""
    program = COMMAND.format(body="raise KeyboardInterrupt")
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 130
    assert ended.stderr.startswith("error: interrupted")
    assert "Traceback" not in ended.stderr


def test_a_reader_that_went_away_is_no_error_of_ours() -> None:
    program = COMMAND.format(body="console.result({'x': 1}, '')")
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert ended.returncode == 1
    assert ended.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_behind_stdout_is_a_sentence() -> None:
    program = COMMAND.format(body="console.result({'x': 1}, '')").replace('"speak"]', '"speak", "--json"]')
    program = program.replace("def speak()", "def speak(json: bool = False)")
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: No space left on device.")
    assert "Traceback" not in ended.stderr
    assert "Exception" not in ended.stderr
