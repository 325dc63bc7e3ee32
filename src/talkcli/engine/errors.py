"""Errors a user can act on: the problem, the evidence and the next step, with one exit code per class."""

from __future__ import annotations

from collections.abc import Callable

# What a person reads, and a log holds: names and values out of a file may be of any length.
_LONGEST, _START, _END = 2000, 1500, 300


class TalkError(Exception):
    """Something the user can fix.

    `problem` is one or two sentences with the evidence (what was found, where); `hint` is the next step. Both
    name parameters in backticks, and values with them: `takes=2`. Shown by the command line, with options
    instead, as `error: ...` and `hint: ...`, and ends the process with `exit_code`. The middle of a long text
    is left out.
    """

    exit_code = 1

    def __init__(self, problem: str, *, hint: str | None = None) -> None:
        super().__init__(shortened(problem))
        self.problem = shortened(problem)
        self._is_reworded = False
        self.hint = None if hint is None else shortened(hint)

    def reword(self, word: Callable[[str], str]) -> None:
        """Put `problem` and `hint` in other words, those of `word`, the first time that this is asked.

        A second pass would take what a user wrote for a name of a parameter.
        """
        if self._is_reworded:
            return
        self._is_reworded = True
        self.problem = word(self.problem)
        self.hint = None if self.hint is None else word(self.hint)
        self.args = (self.problem,)


def shortened(text: str) -> str:
    """Return `text`, without its middle where it is longer than a person would read."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_START]} ... ({len(text) - _START - _END} characters left out) ... {text[-_END:]}"


def several_files() -> str:
    """Return a hint for who gave several files, or a folder, where one file is animated."""
    return "For many files give `out_dir` and `format` in place of `out`: talk animate takes/ --out-dir faces"


class UsageError(TalkError):
    """A parameter or a recipe says something that cannot be."""

    exit_code = 2


class InputError(TalkError):
    """A file given by the user cannot be used."""

    exit_code = 3


class AssetError(TalkError):
    """A model, head or licensed file is missing."""

    exit_code = 4


class ExtraError(TalkError):
    """An optional dependency is not installed."""

    exit_code = 5


class DeviceError(TalkError):
    """The requested device is absent or too small."""

    exit_code = 6


class ThresholdError(TalkError):
    """A measured value missed the threshold the user set."""

    exit_code = 7
