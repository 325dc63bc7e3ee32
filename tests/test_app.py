"""Errors become sentences and exit codes at the edge of the program."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from talkcli import app as module
from talkcli.engine.errors import DeviceError, TalkError


def run(monkeypatch: pytest.MonkeyPatch, error: BaseException, *, as_json: bool = False) -> int:
    def fail(**_: object) -> None:
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


def speak(body: str, *, redirect: str = "", as_json: bool = False) -> subprocess.CompletedProcess[str]:
    """A command whose work is `body`, by a shell that redirects its streams."""
    program = COMMAND.format(body=body)
    if as_json:
        program = program.replace('"speak"]', '"speak", "--json"]')
        program = program.replace("speak()", "speak(json: bool = False)")
    shell = f'"$0" -c "$1" {redirect}; exit ${{PIPESTATUS[0]}}'
    return subprocess.run(
        ["bash", "-c", shell, sys.executable, program], capture_output=True, text=True, check=False
    )


def test_ctrl_c_inside_a_command_is_not_silent() -> None:
    """As it comes, through typer, which keeps KeyboardInterrupt to itself."""
    ended = speak("raise KeyboardInterrupt")
    assert ended.returncode == 130
    assert ended.stderr.startswith("error: interrupted")
    assert "Traceback" not in ended.stderr


def test_an_unexpected_end_of_a_file_is_no_wish_of_the_user() -> None:
    ended = speak("raise EOFError('Ran out of input')")
    assert ended.returncode == 1
    assert "a bug in talk: EOFError: Ran out of input" in ended.stderr
    assert "Aborted" not in ended.stderr


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
RESULT = "console.result({'x': 1}, 'x')"
TABLE = "console.as_json = False; console.table({}, title='t', header=['h'], rows=[['v']])"
BREAK = (
    "from talkcli.engine.errors import InputError; console.note('n'); console.warn('w'); "
    "raise InputError('broken.')"
)


@pytest.mark.parametrize(
    ("redirect", "body", "said"),
    [
        ("| head -c 0", RESULT, "The reader of stdout went away"),
        ("| head -c 0", TABLE, "The reader of stdout went away"),
        pytest.param("> /dev/full", RESULT, "No space left on device.", marks=FULL),
        pytest.param("> /dev/full", "print('x' * 100_000)", "No space left on device.", marks=FULL),
        (">&-", RESULT, "Bad file descriptor."),
        ("<&- >&-", TABLE, "Bad file descriptor."),
    ],
)
def test_a_result_that_cannot_be_printed_is_a_sentence(redirect: str, body: str, said: str) -> None:
    """Also the interpreter's own end does not complain, which would change the exit code."""
    ended = speak(f"import time; time.sleep(0.2); {body}", redirect=redirect)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: {said}")
    assert "Traceback" not in ended.stderr
    assert "Exception" not in ended.stderr


@pytest.mark.parametrize(
    "redirect", [pytest.param("2> /dev/full", marks=FULL), "2>&-", "<&- >&- 2>&-", ">&-"]
)
def test_words_that_nobody_takes_change_no_exit_code(redirect: str) -> None:
    ended = speak(BREAK, redirect=redirect, as_json=True)
    assert ended.returncode == 3
    document = {"error": {"problem": "broken.", "hint": None, "exit_code": 3}}
    assert ended.stdout == ("" if ">&-" in redirect.replace("2>&-", "") else json.dumps(document) + "\n")


@pytest.mark.parametrize(
    ("arguments", "redirect"),
    [
        pytest.param(["--version"], "> /dev/full", marks=FULL),
        pytest.param(["animate", "--help"], "> /dev/full", marks=FULL),
        (["--version"], ">&-"),
        (["--help"], ">&-"),
    ],
)
def test_help_that_cannot_be_printed_is_a_sentence(arguments: list[str], redirect: str) -> None:
    command = ["sh", "-c", f'"$0" -m talkcli "$@" {redirect}', sys.executable, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert "Traceback" not in ended.stderr and "Exception" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["animate"], "Missing argument 'speech'"),
        (["animate", "x.wav", "--ot", "y"], "No such option: --ot (Possible options: --out"),
        (["animate", "x.wav", "--out", "x.npz", "--fps", "nan"], "Invalid value for '--fps'"),
        (["animate", "x.wav", "--out", "x.npz", "--takes", "many"], "Invalid value for '--takes'"),
        (["animate", "x.wav", "y.wav", "--out", "x.npz"], "y.wav"),
        (["score", "--seed", "-1"], "Invalid value for '--seed'"),
        (["anmate", "x.wav"], "No such command 'anmate'. Did you mean 'animate'"),
        (["preprocess", "nothing"], "No such command 'nothing'"),
        (["train-dee"], "Missing argument"),
    ],
)
def test_usage_errors_are_for_people_and_for_programs(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for extra in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["talk", *arguments, *extra])
        with pytest.raises(SystemExit) as exit_:
            module.main()
        assert exit_.value.code == 2
        out, err = capsys.readouterr()
        assert err.startswith("error: ")
        assert said in err
        # Several files at once get the options for them, all else the help.
        assert ("hint: For many files" if said == "y.wav" else "hint: See talk ") in err
        document = json.loads(out)["error"] if extra else None
        assert document is None or (said in document["problem"] and document["exit_code"] == 2)
        assert extra or not out


@pytest.mark.parametrize("arguments", [[], ["preprocess"], ["convert"]])
def test_no_arguments_are_help(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "talkcli", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "Usage:" in ended.stdout + ended.stderr
    assert "error" not in ended.stderr


def test_every_error_after_a_signal_is_its_consequence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Libraries turn what is raised while they are imported into errors of their own."""
    monkeypatch.setattr(module, "ended_by", lambda: 143)
    assert run(monkeypatch, ImportError("initialization failed"), as_json=True) == 143
    out, err = capsys.readouterr()
    assert err == "error: ended by SIGTERM; no half-written file is left.\n"
    assert json.loads(out)["error"]["exit_code"] == 143
