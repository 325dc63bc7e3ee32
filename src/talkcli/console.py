"""The only place that prints: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Work shorter than this shows no bar.
_QUIET_START_S = 0.5
# All but tab and the end of a line.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Console:
    """What one command says. Also the engine's `Reporter`. Use as a context manager around the work."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._err = RichConsole(stderr=True, highlight=False)
        self._out = RichConsole(highlight=False)
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._started_s = time.monotonic()

    def __enter__(self) -> Console:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_bar()

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._tasks.clear()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        if self.quiet or (self._bar is None and time.monotonic() - self._started_s < _QUIET_START_S):
            return
        if self._bar is None:
            # Not at the top: --help shows no bar, and should not wait for one.
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=self._err,
                # What is written to stdout stays there: a file may be behind it.
                redirect_stdout=False,
            )
            self._bar.start()
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=total)
        self._bar.update(self._tasks[stage], completed=done, total=total)

    def note(self, text: str) -> None:
        if not self.quiet:
            self._err.print(_printable(text), markup=False)

    def warn(self, text: str) -> None:
        # A warning is about the result, so --quiet does not hide it.
        self._err.print(_printable(f"warning: {text}"), markup=False)

    def result(self, document: dict[str, Any], text: str) -> None:
        """The command's answer: one JSON document with --json, else `text`. It comes below the bar."""
        self._end_bar()
        if self.as_json:
            sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")
            # So that a reader that went away (head, less) is noticed here, and not by the interpreter's end.
            sys.stdout.flush()
        elif text:
            self._out.print(_printable(text), markup=False, soft_wrap=True)

    def table(
        self, document: dict[str, Any], *, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        """The command's answer as a table; `document` is what --json prints instead."""
        if self.as_json:
            self.result(document, "")
            return
        self._end_bar()
        table = Table(title=escape(_printable(title)))
        for name in header:
            # Values are folded, never cut: stdout is read by programs too.
            table.add_column(escape(name), overflow="fold")
        for row in rows:
            table.add_row(*(escape(_printable(cell)) for cell in row))
        self._out.print(table)


def print_error(problem: str, hint: str | None, exit_code: int, *, as_json: bool) -> None:
    """One error for people on stderr; with --json also as the document on stdout."""
    err = RichConsole(stderr=True, highlight=False)
    err.print(_printable(f"error: {problem}"), markup=False, soft_wrap=True)
    if hint:
        err.print(_printable(f"hint: {hint}"), markup=False, soft_wrap=True)
    if as_json:
        document = {"error": {"problem": problem, "hint": hint, "exit_code": exit_code}}
        try:
            sys.stdout.write(json.dumps(document) + "\n")
            sys.stdout.flush()
        except OSError:
            # stdout itself is what failed (a full disk behind it). What its buffer still holds goes nowhere,
            # or the interpreter would try once more at its end and show a traceback.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _printable(text: str) -> str:
    # File names need not be Unicode: Python holds such bytes as lone surrogates, which no terminal takes.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    # Nor need they be harmless: a terminal obeys control characters.
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
