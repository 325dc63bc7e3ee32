from __future__ import annotations

import gc
import json

import pytest

from talkcli.app import main
from talkcli.console import Console, print_error
from talkcli.engine.errors import InputError
from talkcli.engine.types import Reporter

Captured = pytest.CaptureFixture[str]


def test_is_a_reporter() -> None:
    assert isinstance(Console(), Reporter)


def test_results_go_to_stdout_and_words_to_stderr(capsys: Captured) -> None:
    with Console() as console:
        console.note("a note")
        console.warn("careful")
        console.result({"path": "x"}, "x [bold]")
    out, err = capsys.readouterr()
    assert out == "x [bold]\n"
    assert "a note" in err and "warning: careful" in err


def test_json_prints_one_document(capsys: Captured) -> None:
    with Console(as_json=True) as console:
        console.note("a note")
        console.result({"path": "ä"}, "text for people")
    out, err = capsys.readouterr()
    assert json.loads(out) == {"path": "ä"}
    assert "a note" in err


def test_json_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Console(as_json=True).result({"value": float("nan")}, "")


@pytest.mark.parametrize("as_json", [True, False])
def test_results_reach_stdout_while_a_terminal_shows_a_bar(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("talkcli.console._QUIET_START_S", 0.0)
    with Console(as_json=as_json) as console:
        console.progress("working", 1, 2)
        console.result({"path": "x"}, "text for people")
    out, err = capsys.readouterr()
    assert "working" in err
    assert out == ('{"path": "x"}\n' if as_json else "text for people\n")


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize("quiet", [True, False])
def test_without_a_terminal_a_line_every_ten_seconds(capsys: Captured, quiet: bool) -> None:
    clock = Clock()
    with Console(quiet=quiet, clock=clock) as console:
        console.progress("loading", 0, None)
        for done in range(1, 61):
            clock.now_s += 0.5
            console.progress("video", done, 60)
        console.result({}, "x")
    out, err = capsys.readouterr()
    assert out == "x\n"
    lines = [f"video {20 * k}/60, {10 * k} s since the start, about {30 - 10 * k} s left" for k in (1, 2, 3)]
    assert err.splitlines() == ([] if quiet else lines)


def test_on_a_terminal_something_is_shown_at_once_and_every_take_has_its_time(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    clock = Clock()
    with Console(clock=clock) as console:
        console.progress("loading", 0, None)
        assert console._bar is not None
        assert [task.description for task in console._bar.tasks if task.visible] == ["loading"]
        for take in range(2):
            for done in range(1, 5):
                console.progress("video", done, 4)
                (task,) = [task for task in console._bar.tasks if task.visible]
                assert (task.description, task.completed) == ("video", done)
                assert task.finished == (done == 4), take
        assert task.time_remaining == 0
        console.progress("video", 1, 4)
        assert task.finished_time is None
    assert "loading" in capsys.readouterr().err


def test_a_failure_while_loading_leaves_no_line(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with pytest.raises(InputError), Console() as console:
        console.progress("loading", 0, None)
        bar = console._bar
        raise InputError("no such file.")
    assert bar is not None and not any(task.visible for task in bar.tasks)


def test_libraries_load_without_the_garbage_collector(capsys: Captured) -> None:
    console = Console()
    with pytest.raises(ImportError), console.loading():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


def test_quiet_keeps_warnings_and_results(capsys: Captured) -> None:
    with Console(quiet=True) as console:
        console.note("a note")
        console.progress("work", 1, 2)
        console.warn("careful")
        console.result({}, "x")
    out, err = capsys.readouterr()
    assert out == "x\n"
    assert "a note" not in err and "work" not in err and "careful" in err


def test_names_of_any_length_are_cut_in_what_is_told(capsys: Captured) -> None:
    with Console() as console:
        console.note("a note of " + "9" * 5000)
        console.warn("a clip called " + "9" * 5000)
    _, err = capsys.readouterr()
    assert len(err) < 4000
    told = " ".join(err.split())
    assert "a note of" in told and "warning: a clip called" in told
    assert told.count("characters left out") == 2


def test_tables_show_brackets_and_long_values_whole(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    Console().table({}, title="a [b]", header=("what", "value"), rows=[("talkcli[gl]", "x" * 100)])
    out = capsys.readouterr().out
    assert "talkcli[gl]" in out and "a [b]" in out
    assert out.count("x") == 100


def test_tables_become_json(capsys: Captured) -> None:
    Console(as_json=True).table({"rows": 1}, title="t", header=("h",), rows=[("v",)])
    assert json.loads(capsys.readouterr().out) == {"rows": 1}


@pytest.mark.parametrize("as_json", [True, False])
def test_errors_are_for_people_and_for_programs(capsys: Captured, as_json: bool) -> None:
    print_error("x is [empty].", "Try y.", 3, as_json=as_json)
    out, err = capsys.readouterr()
    assert err == "error: x is [empty].\nhint: Try y.\n"
    expected = {"error": {"problem": "x is [empty].", "hint": "Try y.", "exit_code": 3}}
    assert (json.loads(out) if as_json else out) == (expected if as_json else "")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("bad file.", hint="another"), 3, "hint: another"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device", "out.mp4"), 1, "out.mp4: No space left on device"),
        (RuntimeError("oops"), 1, "a bug in talk: RuntimeError: oops"),
    ],
)
def test_the_process_ends_with_a_sentence_and_a_code(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr("talkcli.app.app", fail)
    monkeypatch.setattr("sys.argv", ["talk"])
    monkeypatch.delenv("TALK_DEBUG", raising=False)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == code
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_file_names_that_are_not_unicode_can_be_printed(capsys: Captured) -> None:
    name = b"\xff.wav".decode("utf-8", "surrogateescape")
    print_error(f"{name} is missing.", None, 3, as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["problem"].endswith(".wav is missing.")
    assert ".wav is missing." in err


def test_file_names_do_not_command_the_terminal(capsys: Captured) -> None:
    name = "\x1b[31mred\x1b]0;title\x07\r\x9b2J.wav"
    with Console() as console:
        console.warn(f"{name} is odd.")
        console.note(f"{name} is odd.")
        console.table({}, title=name, header=["a"], rows=[[name]])
    print_error(f"{name} is missing.", name, 3, as_json=False)
    out, err = capsys.readouterr()
    assert not set(out + err) & set("\x1b\x07\r\x9b")
    assert "warning: \\x1b[31mred\\x1b]0;title\\x07\\x0d\\x9b2J.wav is odd." in err
