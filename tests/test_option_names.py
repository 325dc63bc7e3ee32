"""The engine's parameters become options of the running command, and nothing else does."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from talkcli import app as edge
from talkcli.commands.options import AsJson, Quiet, Settings
from talkcli.console import Console, print_error
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.wording import parameter
from talkcli.option_names import (
    Spelling,
    of_any_command,
    speak_for,
    speak_of,
    spellings,
    spoken,
    spoken_reasons,
    translated,
)


def example(
    speech: Annotated[Path, typer.Argument()],
    files: Annotated[list[Path] | None, typer.Argument(metavar="[PRED]...")] = None,
    out: Annotated[list[Path] | None, typer.Option("--out", "-o")] = None,
    takes: Annotated[int, typer.Option("--takes")] = 1,
    hold_slow: Annotated[bool, typer.Option("--hold-slow")] = False,
    smooth: Annotated[bool | None, typer.Option("--smooth/--no-smooth")] = None,
    views: Annotated[list[str] | None, typer.Option("--view")] = None,
    motion: Annotated[Literal["performed", "video"], typer.Option("-m", "--motion")] = "performed",
    settings: Settings = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Fail as the engine does."""
    with Console(as_json=as_json, quiet=quiet) as console:
        console.note("Noted: `takes=2`.")
        console.warn("`audio` is not used, nor is `out`.")
        raise InputError(f"{parameter('out', out[0] if out else 'x')} is no place.", hint="Add `hold_slow`.")


alone = typer.Typer()
alone.command()(example)
NAMES = spellings(get_command(alone).params)


@pytest.fixture(autouse=True)
def _nobody_speaks() -> Iterator[None]:
    """Commands of other tests leave their names behind, as these would."""
    speak_for([])
    yield
    speak_for([])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("`hold_slow` keeps codes.", "--hold-slow keeps codes."),
        ("Add `takes=2` or more.", "Add --takes 2 or more."),
        ("Add `takes=2`, `takes=3`; (`takes`).", "Add --takes 2, --takes 3; (--takes)."),
        ("`out=a b.mp4`: no", "--out a b.mp4: no"),
        ("`out=-`: no", "--out -: no"),
        ("`out=` is empty", "--out  is empty"),
        # Of a flag the value is which of its options is meant.
        ("`as_json=True`, `json=True`, `json`", "--json, --json, --json"),
        ("`smooth` `smooth=True` `smooth=False`", "--smooth --smooth --no-smooth"),
        ("`hold_slow=False`", "`hold_slow=False`"),
        # By the option's name and by the parameter's.
        ("`set=train.steps=40` or `settings`", "--set train.steps=40 or --set"),
        ("`view`, `views`", "--view, --view"),
        ("`motion=video`", "--motion video"),
        # What stands without an option.
        ("`speech` and `files`", "SPEECH and PRED"),
        # What this command does not know.
        (
            "`audio`, `model=rules`, `Takes`, `a b`",
            "`audio`, `model=rules`, `Takes`, `a b`",
        ),
        ("Run: talk preprocess biwi ROOT --out `x`", "Run: talk preprocess biwi ROOT --out `x`"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_parameters_become_options(text: str, said: str) -> None:
    assert translated(text, NAMES) == said


@pytest.mark.parametrize(
    "path",
    [
        "/tmp/`out`.wav", "/tmp/`out`/a.wav", "a`out`b", "`out`.wav", "`takes=2`.npz", "x`", "`", "``",
        "`out", "out`", "'`out`'", '"`takes=2`"', "a`b=c", "`out`x", "```", "`` `", "-`out`", "`out=\n",
        "\\`out`\\",
    ],
)  # fmt: skip
def test_names_of_files_may_hold_backticks(path: str) -> None:
    """They stay as they are, and do not keep what follows from being translated."""
    assert translated(f"{path} is not there; see `takes`.", NAMES) == f"{path} is not there; see --takes."


@pytest.mark.parametrize("value", ["a`b", "`", "``", "`out`", "a``b`c", "x`", "`x", "a b", "", "a\nb", "a=b"])
def test_values_may_hold_backticks(value: str) -> None:
    text = f"{parameter('out', value)} is a file."
    assert translated(text, NAMES) == f"--out {value} is a file."
    assert of_any_command(text) == f"--out {value} is a file."


def test_of_any_command_every_name_is_an_option() -> None:
    assert of_any_command("`head=flame`, `hold_slow`, `x=True`") == "--head flame, --hold-slow, --x True"


def test_without_a_command_the_words_of_the_engine_stay() -> None:
    assert spoken("`takes=2`") == "`takes=2`"


def test_reasons_are_translated_and_data_is_not() -> None:
    speak_for(get_command(alone).params)
    given = {
        "path": "a `out` b",
        "rows": [{"reason": "give `out`", "value": None}, {"reason": None}],
        "reason": {"reason": "`takes`", "name": "`takes`"},
        "missed": ["x has no value (give `out`)"],
        "count": 3,
    }
    assert spoken_reasons(given) == {
        "path": "a `out` b",
        "rows": [{"reason": "give --out", "value": None}, {"reason": None}],
        "reason": {"reason": "--takes", "name": "`takes`"},
        "missed": ["x has no value (give --out)"],
        "count": 3,
    }


def test_a_command_says_its_options() -> None:
    shown = CliRunner().invoke(alone, ["a.wav", "--out", "x"])
    assert "Noted: --takes 2." in shown.stderr
    assert "warning: `audio` is not used, nor is --out." in shown.stderr
    assert isinstance(shown.exception, InputError)
    assert shown.exception.problem == str(shown.exception) == "--out x is no place."
    assert shown.exception.hint == "Add --hold-slow."


@pytest.mark.parametrize("out", ["x", 'a "b" `c`', "\\`takes`\n"])
def test_errors_in_json_stay_one_document(out: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = CliRunner().invoke(alone, ["a.wav", "--json", "--out", out])
    error = shown.exception
    assert isinstance(error, InputError)
    print_error(error.problem, error.hint, error.exit_code, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "error": {"problem": f"--out {out} is no place.", "hint": "Add --hold-slow.", "exit_code": 3}
    }


def test_errors_beside_the_console_are_translated_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a command calls before it has a console, or after."""

    def fail(**_: object) -> None:
        speak_for(get_command(alone).params)
        raise UsageError("`takes=0` is none.", hint="Add `takes=1`.")

    monkeypatch.setattr(edge, "app", fail)
    monkeypatch.setattr(sys, "argv", ["talk", "--json"])
    with pytest.raises(SystemExit):
        edge.main()
    out, err = capsys.readouterr()
    assert "error: --takes 0 is none." in err
    assert json.loads(out)["error"]["hint"] == "Add --takes 1."


def test_a_name_is_translated_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Console and `main` both word an error; the second must not take what a user wrote for a name."""
    monkeypatch.setattr(
        edge, "app", lambda **_: alone(["a.wav", "--out", "x `takes` y"], standalone_mode=False)
    )
    monkeypatch.setattr(sys, "argv", ["talk"])
    with pytest.raises(SystemExit):
        edge.main()
    assert "error: --out x `takes` y is no place." in capsys.readouterr().err


def test_what_stands_for_a_parameter_may_be_said_otherwise() -> None:
    speak_of("dee", Spelling("--part dee", joint="="))
    assert spoken("`dee` or `dee=random`") == "--part dee or --part dee=random"


def test_spelling_of_a_flag_without_a_negative() -> None:
    flag = Spelling("--gumbel", is_flag=True)
    assert flag.with_value(None) == flag.with_value("True") == "--gumbel"
    assert flag.with_value("False") is None
