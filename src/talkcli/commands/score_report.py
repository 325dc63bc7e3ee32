"""The `--report` of `talk score`: the tables that a command prints, written as a page with pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from talkcli.console import Console, print_error
from talkcli.engine.errors import TalkError
from talkcli.option_names import spoken

if TYPE_CHECKING:
    from talkcli.engine.pipelines.score.generation import Generation
    from talkcli.engine.pipelines.score.report.page import Table
    from talkcli.engine.pipelines.score.sources import Sources


def write_page(
    path: Path,
    report: dict[str, Any],
    show: Callable[[Console, dict[str, Any]], None],
    *,
    sources: Sources,
    generation: Generation,
    console: Console,
) -> None:
    """Write the page of a report that has been printed, so that a page that fails loses no number.

    Args:
        path: HTML file to write.
        report: Report of the engine.
        show: Function that prints the report's tables.
        sources: Files that were scored.
        generation: Performer and its settings.
        console: Console that printed the report; receiver of notes and progress.

    Raises:
        InputError: When `path` cannot be a file.
        typer.Exit: With --json instead of an error, whose document would be the second one on stdout.
    """
    try:
        with console:
            _write(path, report, show, sources, generation, console)
    except TalkError as error:
        if not console.as_json:
            raise
        print_error(error.problem, error.hint, error.exit_code, as_json=False)
        raise typer.Exit(error.exit_code) from error


def _write(
    path: Path,
    report: dict[str, Any],
    show: Callable[[Console, dict[str, Any]], None],
    sources: Sources,
    generation: Generation,
    console: Console,
) -> None:
    from talkcli.engine.pipelines.score.report.page import collect, write_report

    printed = _Printed()
    show(printed, report)
    material = collect(report, sources, generation, console)
    write_report(report, path, tables=printed.tables, notes=printed.notes, material=material)
    console.note(f"Wrote {path}.")


class _Printed(Console):
    """Console that keeps what it is given to print."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.tables: list[Table] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(spoken(text))

    def table(
        self, document: dict[str, Any], *, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        from talkcli.engine.pipelines.score.report.page import Table

        del document
        self.tables.append(Table(title=title, header=header, rows=rows))
