"""The engine's words on the command line: its `hold_slow` is printed as --hold-slow, `takes=2` as --takes 2.

The engine is a library too, so its errors and notes name parameters, in backticks (docs/conventions.md). The
running command knows which option each of them is. Only text is handled here, and nothing is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# One backtick around a name, or a name and a value without backticks; two or more around other values. Names
# of files may hold backticks too: what touches a letter, a quote, a slash or a suffix is part of one.
_NAMED = re.compile(
    r"""(?<![^\s(\[])
    (?: `(?P<name>[a-z][a-z0-9_]*)(?:=(?P<value>[^`]*))?`
      | (?P<ticks>``+)(?P<name_>[a-z][a-z0-9_]*)=(?P<value_>.+?)(?P=ticks) )
    (?![\w`'"/\\-]|\.\w)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Spelling:
    """How a parameter is written on the command line."""

    shown: str
    """--hold-slow, or the metavar of an argument."""
    is_flag: bool = False
    negative: str | None = None
    """The option that means no, of a flag that has one: --no-smooth."""
    joint: str = " "
    """The text between the option and its value."""

    def with_value(self, value: str | None) -> str | None:
        """Spell the option with its `value`, `True` or `False` for a flag; None where no option has that
        value.
        """
        if self.is_flag and value is not None:
            return {"True": self.shown, "False": self.negative}.get(value)
        return self.shown if value is None else f"{self.shown}{self.joint}{value}"


Spellings = Mapping[str, Spelling]


def spellings(parameters: list[Any]) -> dict[str, Spelling]:
    """Return how to write the `parameters` of a typer command, by name.

    An option goes by two names: that of its long form, which the engine uses, and that of the command's own
    parameter (--set, `settings`). The former wins.
    """
    by_parameter: dict[str, Spelling] = {}
    by_option: dict[str, Spelling] = {}
    for parameter in parameters:
        spelling = _spelling(parameter)
        if parameter.name is not None:
            by_parameter[parameter.name] = spelling
        if spelling.shown.startswith("--"):
            by_option[spelling.shown[2:].replace("-", "_")] = spelling
    return by_parameter | by_option


def _spelling(parameter: Any) -> Spelling:
    if parameter.param_type_name == "argument":
        # In the words of the usage line, less its brackets and dots.
        return Spelling((parameter.metavar or (parameter.name or "").upper()).strip("[]."))
    longs = [option for option in parameter.opts if option.startswith("--")]
    negatives = [option for option in parameter.secondary_opts if option.startswith("--")]
    return Spelling(
        shown=(longs or parameter.opts)[0],
        is_flag=bool(getattr(parameter, "is_flag", False)),
        negative=negatives[0] if negatives else None,
    )


def _value(named: re.Match[str]) -> str | None:
    # An empty one is one too.
    return named["value_"] if named["value"] is None else named["value"]


def translated(text: str, spellings: Spellings) -> str:
    """Return `text` of the engine with options for parameters; what is none of `spellings` stays as it is."""

    def spell(named: re.Match[str]) -> str:
        spelling = spellings.get(named["name"] or named["name_"])
        found = None if spelling is None else spelling.with_value(_value(named))
        return named[0] if found is None else found

    return _NAMED.sub(spell, text)


def of_any_command(text: str) -> str:
    """Return `text` that speaks of other commands than the one that runs: every name becomes an option."""

    def spell(named: re.Match[str]) -> str:
        option = Spelling(f"--{(named['name'] or named['name_']).replace('_', '-')}")
        return option.with_value(_value(named)) or named[0]

    return _NAMED.sub(spell, text)


# A process runs one command. Not typer's own current context: it is gone when an error reaches `main`, and
# other threads, which may have something to say too, do not see it.
_running: dict[str, Spelling] = {}


def speak_for(parameters: list[Any]) -> None:
    """Set the typer `parameters` of the running command, into whose options messages are translated."""
    _running.clear()
    _running.update(spellings(parameters))


def speak_of(name: str, spelling: Spelling) -> None:
    """Let the running command say `name`, which is no parameter of its own, as `spelling`."""
    _running[name] = spelling


def spoken(text: str) -> str:
    """Return `text` of the engine as the running command says it; as it is where none runs."""
    return translated(text, _running)


def spoken_reasons(document: dict[str, Any]) -> dict[str, Any]:
    """Return `document` with what is under `reason` and `missed`, at any depth, in the words of the running
    command.

    The rest is data, names of files among it, and stays as it is.
    """
    return {key: _spoken_part(value, is_prose=key in ("reason", "missed")) for key, value in document.items()}


def _spoken_part(part: Any, *, is_prose: bool) -> Any:
    if isinstance(part, dict):
        return spoken_reasons(part)
    if isinstance(part, list):
        return [_spoken_part(value, is_prose=is_prose) for value in part]
    return spoken(part) if is_prose and isinstance(part, str) else part
