"""Translation of the engine's messages for the command line: `hold_slow` becomes --hold-slow, `takes=2`
--takes 2.

The engine is a library too, so its errors and notes name parameters in backticks (docs/conventions.md). The
running command knows the option of each parameter. This module handles only text, and imports nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Pattern of a parameter: one backtick around a name, or around a name and a value without backticks; two or
# more around other values. Backticks may also be a part of a file's name, so the pattern excludes those next
# to a letter, a quote, a slash or a suffix.
_NAMED = re.compile(
    r"""(?<![^\s(\[])
    (?: `(?P<name>[a-z][a-z0-9_]*)(?:=(?P<value>[^`]*))?`
      | (?P<ticks>``+)(?P<name_>[a-z][a-z0-9_]*)=(?P<value_>.+?)(?P=ticks) )
    (?![\w`'"/\\-]|\.\w)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Spelling:
    """Form of a parameter on the command line."""

    shown: str
    """Name of the option, such as --hold-slow, or the metavar of an argument."""
    is_flag: bool = False
    """Whether the option is a flag, which has no value."""
    negative: str | None = None
    """Option that means no, such as --no-smooth; None when a flag has none."""
    joint: str = " "
    """Text between the option and its value."""

    def with_value(self, value: str | None) -> str | None:
        """Return the option with its `value`, which is `True` or `False` for a flag; None when no option has
        it.
        """
        if self.is_flag and value is not None:
            return {"True": self.shown, "False": self.negative}.get(value)
        return self.shown if value is None else f"{self.shown}{self.joint}{value}"


Spellings = Mapping[str, Spelling]


def spellings(parameters: list[Any]) -> dict[str, Spelling]:
    """Return the spelling of each of the `parameters` of a typer command, by name.

    An option has two names: that of its long form, which the engine uses, and that of the command's own
    parameter (--set, `settings`). The former takes precedence.
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
        # The name is that of the usage line, without its brackets and dots.
        return Spelling((parameter.metavar or (parameter.name or "").upper()).strip("[]."))
    longs = [option for option in parameter.opts if option.startswith("--")]
    negatives = [option for option in parameter.secondary_opts if option.startswith("--")]
    return Spelling(
        shown=(longs or parameter.opts)[0],
        is_flag=bool(getattr(parameter, "is_flag", False)),
        negative=negatives[0] if negatives else None,
    )


def _value(named: re.Match[str]) -> str | None:
    # An empty value is a value too, so the comparison is with None.
    return named["value_"] if named["value"] is None else named["value"]


def translated(text: str, spellings: Spellings) -> str:
    """Return `text` of the engine with options in place of parameters; names without a spelling stay."""

    def spell(named: re.Match[str]) -> str:
        spelling = spellings.get(named["name"] or named["name_"])
        found = None if spelling is None else spelling.with_value(_value(named))
        return named[0] if found is None else found

    return _NAMED.sub(spell, text)


def of_any_command(text: str) -> str:
    """Return `text` about other commands than the running one, with every name as an option."""

    def spell(named: re.Match[str]) -> str:
        option = Spelling(f"--{(named['name'] or named['name_']).replace('_', '-')}")
        return option.with_value(_value(named)) or named[0]

    return _NAMED.sub(spell, text)


# Spellings of the running command; a process runs one command. typer's current context does not serve for
# this: it is gone when an error reaches `main`, and other threads, which also print messages, do not see it.
_running: dict[str, Spelling] = {}


def speak_for(parameters: list[Any]) -> None:
    """Set the typer `parameters` of the running command; `spoken` then uses its options."""
    _running.clear()
    _running.update(spellings(parameters))


def speak_of(name: str, spelling: Spelling) -> None:
    """Let the running command spell `name`, which is no parameter of its own, as `spelling`."""
    _running[name] = spelling


def spoken(text: str) -> str:
    """Return `text` of the engine with the options of the running command; unchanged when no command runs."""
    return translated(text, _running)


def spoken_reasons(document: dict[str, Any]) -> dict[str, Any]:
    """Return `document` with the texts under `reason` and `missed`, at any depth, translated by `spoken`.

    All other text is data, such as names of files, and stays.
    """
    return {key: _spoken_part(value, is_prose=key in ("reason", "missed")) for key, value in document.items()}


def _spoken_part(part: Any, *, is_prose: bool) -> Any:
    if isinstance(part, dict):
        return spoken_reasons(part)
    if isinstance(part, list):
        return [_spoken_part(value, is_prose=is_prose) for value in part]
    return spoken(part) if is_prose and isinstance(part, str) else part
