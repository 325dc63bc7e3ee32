"""The only module that prints: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import json
import os
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console as RichConsole

from talkcli.engine.errors import TalkError, shortened
from talkcli.option_names import spoken
from talkcli.table_layout import lay_out

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Time in seconds before the first progress bar, so that short work shows none.
_QUIET_START_S = 0.5
# Time in seconds between lines of progress where talk cannot show a bar.
_LINE_EVERY_S = 10.0
# Control characters, except tab and line feed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Console:
    """Printer of one command, and the engine's `Reporter`. Use it as a context manager around the work.

    It translates the engine's messages, and those of a TalkError that passes: parameters become the command's
    options.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._err = _stderr_console()
        self._out = RichConsole(highlight=False)
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        # Time and number of done units when a stage was first reported.
        self._stages: dict[str, tuple[float, int]] = {}
        self._clock = clock
        self._started_s = self._line_s = clock()

    def __enter__(self) -> Console:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_bar()
        if isinstance(error, TalkError):
            error.reword(spoken)

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._hide_unknown()
            self._bar.stop()
            self._bar = None
            self._tasks.clear()

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        """Show that libraries are being imported, and keep the garbage collector away from their objects.

        These live to the end of the process. During the imports and later, the collector would go through
        hundreds of thousands of them again and again.
        """
        self.progress("loading", 0, None)
        gc.disable()
        try:
            yield
        finally:
            gc.freeze()
            gc.enable()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Show a bar in a terminal; elsewhere, as in logs, print a line every 10 s.

        Both show the remaining time where the total is known.

        Args:
            stage: Name of the stage of work.
            done: Number of units that are done.
            total: Number of units of the stage; None when it is unknown.
        """
        if self.quiet:
            return
        if not self._err.is_terminal:
            self._line(stage, done, total)
            return
        # A stage without a total shows its bar at once: it takes seconds, and the user waits for it.
        if self._bar is None and total is not None and self._clock() - self._started_s < _QUIET_START_S:
            return
        if self._bar is None:
            self._bar = _new_bar(self._err)
            self._bar.start()
        if stage not in self._tasks:
            self._hide_unknown()
            self._tasks[stage] = self._bar.add_task(stage, total=total)
        task = self._tasks[stage]
        if self._bar.tasks[self._bar.task_ids.index(task)].completed > done:
            # The stage starts again (next take, next file); without a reset the remaining time would stay 0.
            self._bar.reset(task, total=total, completed=done)
        self._bar.update(task, completed=done, total=total)

    def _hide_unknown(self) -> None:
        """Hide the bars of stages without a total."""
        assert self._bar is not None
        for task in self._bar.tasks:
            if task.total is None:
                self._bar.update(task.id, visible=False)

    def _line(self, stage: str, done: int, total: int | None) -> None:
        now_s = self._clock()
        # A stage that starts again (next take, next file) has a new speed.
        since_s, first_done = self._stages.get(stage, (now_s, done))
        if done < first_done or stage not in self._stages:
            since_s, first_done = self._stages[stage] = (now_s, done)
        if now_s - self._line_s >= _LINE_EVERY_S:
            self._line_s = now_s
            count = "" if total is None else f" {done}/{total}"
            left = ""
            if total is not None and done > first_done:
                left = f", about {(now_s - since_s) / (done - first_done) * (total - done):.0f} s left"
            self.note(f"{stage}{count}, {now_s - self._started_s:.0f} s since the start{left}")

    def note(self, text: str) -> None:
        if not self.quiet:
            self._err.print(_printable(spoken(shortened(text))), markup=False)

    def warn(self, text: str) -> None:
        # A warning is about the result, so --quiet does not hide it.
        self._err.print(_printable(spoken(shortened(f"warning: {text}"))), markup=False)

    def result(self, document: dict[str, Any], text: str) -> None:
        """Print the command's answer: one JSON document with --json, else `text`."""
        self._end_bar()
        if self.as_json:
            _put(json.dumps(document, allow_nan=False) + "\n")
        elif text:
            with self._out.capture() as shown:
                self._out.print(_printable(text), markup=False, soft_wrap=True)
            _put(shown.get())

    def table(
        self, document: dict[str, Any], *, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        """Print the command's answer as a table.

        In a terminal the table is as wide as the terminal; elsewhere every row is one line, for programs to
        read.

        Args:
            document: Document that --json prints in place of the table.
            title: Lines above the table.
            header: Names of the columns.
            rows: Cells of each row.
        """
        if self.as_json:
            self.result(document, "")
            return
        self._end_bar()
        width = self._out.width if sys.stdout.isatty() or "COLUMNS" in os.environ else None
        cells = [[_printable(cell) for cell in row] for row in rows]
        above = [
            line
            for given in _printable(title).split("\n")
            for line in (textwrap.wrap(given, width, break_on_hyphens=False) if width else [given])
        ]
        _put("\n".join([*above, "", lay_out(header, cells, width), ""]))


def _new_bar(console: RichConsole) -> Progress:
    # The import is not at the top, since --help shows no bar and should not wait for it.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        # rich must not redirect stdout, which may be a file.
        redirect_stdout=False,
    )


def print_error(problem: str, hint: str | None, exit_code: int, *, as_json: bool) -> None:
    """Print one error for people on stderr, and with `as_json` also as the document on stdout.

    Args:
        problem: What is wrong.
        hint: What to do next; None without a hint.
        exit_code: Exit code of the process, for the document.
        as_json: Whether to print the document.
    """
    err = _stderr_console()
    err.print(_printable(f"error: {problem}"), markup=False, soft_wrap=True)
    if hint:
        err.print(_printable(f"hint: {hint}"), markup=False, soft_wrap=True)
    # The error may be that of stdout itself, which then takes no document either.
    with contextlib.suppress(TalkError):
        flush_result()
        if as_json:
            document = {"error": {"problem": problem, "hint": hint, "exit_code": exit_code}}
            _put(json.dumps(document) + "\n")


def hold_streams() -> None:
    """Open devices in place of standard streams that the caller closed (`>&-`).

    Otherwise the next file that talk opens would get the number of such a stream, and talk would print into
    it. Printing fails on a closed stdout, and does nothing on a closed stderr.
    """
    for number, access in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # `open` returns the lowest free number, which is this one.
            os.set_inheritable(os.open(os.devnull, access), True)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names may have characters that the terminal's encoding lacks.
        sys.stdout.reconfigure(errors="backslashreplace")


def flush_result() -> None:
    """Flush stdout. Raises TalkError when its reader does not take the result."""
    _put("")


def _put(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        _let_go(sys.stdout)
        raise not_printed(error) from error


def not_printed(error: OSError) -> TalkError:
    """Return the error to report when stdout refuses with `error`."""
    if error.errno == errno.EPIPE:
        problem = "The reader of stdout went away before all was printed."
    else:
        problem = f"{error.strerror}. The result cannot be printed on stdout."
    return TalkError(problem, hint="What was written to files is complete.")


def _let_go(stream: Any) -> None:
    """Discard the content of the stream's buffer, since the interpreter would fail at it again
    when it ends.
    """
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()


class _Stderr:
    """The current stderr, as a stream that never fails: a message about the work must not end it
    (`2>/dev/full`).
    """

    encoding = "utf-8"

    @property
    def _stream(self) -> Any:
        # While it shows a bar, rich replaces sys.stderr.
        return getattr(sys.stderr, "rich_proxied_file", sys.stderr)

    def write(self, text: str) -> int:
        with self._failing():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._failing():
            self._stream.flush()

    def isatty(self) -> bool:
        return bool(self._stream.isatty())

    def fileno(self) -> int:
        return int(self._stream.fileno())

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            _let_go(self._stream)


def _stderr_console() -> RichConsole:
    return RichConsole(file=cast("IO[str]", _Stderr()), highlight=False)


def _printable(text: str) -> str:
    # Names of files may be invalid Unicode: Python holds such bytes as lone surrogates, which streams refuse.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    # They may also contain control characters, which a terminal obeys.
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
