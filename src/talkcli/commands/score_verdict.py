"""What a score must hold: the thresholds of the command line, the exit code, and the file of test cases."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer

from talkcli.console import print_error
from talkcli.engine.errors import InputError, TalkError, ThresholdError, UsageError
from talkcli.option_names import spoken

if TYPE_CHECKING:
    from talkcli.engine.pipelines.score.thresholds import Threshold

# Name of the test case of an error that belongs to no clip.
_WHOLE = "score"
# Suffixes of outputs that may lie in a folder of inputs, where a second run replaces them: no input has them.
_PAGES = (".html", ".xml")


def check_outputs(
    files: Mapping[str, Path | None], inputs: Sequence[Path | None], dataset: str | None = None
) -> None:
    """Check, before any work, the files that options name as outputs; None stands for an absent one.

    Args:
        files: Output by option.
        inputs: Files that the command reads, and folders of them.
        dataset: Name or path of the data set that it reads.

    Raises:
        InputError: When a file cannot be written.
        UsageError: When a file is also read (a folder's files are those that it already has), or is named
            twice.
    """
    from talkcli.engine.files import check_file, real_path
    from talkcli.engine.pipelines.prepared_sets import data_folder

    read = {real_path(path) for path in inputs if path is not None}
    if dataset is not None:
        read |= {real_path(Path(dataset)), real_path(data_folder() / dataset)}
    named: dict[Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        try:
            check_file(path)
        except InputError as error:
            raise InputError(error.problem, hint=f"Give {option} the name of a file.") from error
        real = real_path(path)
        in_folder = path.exists() and path.suffix.lower() not in _PAGES and not read.isdisjoint(real.parents)
        if real in read or in_folder:
            raise UsageError(
                f"{option} {path} is also read, and writing would replace it.", hint="Give another file."
            )
        if real in named:
            raise UsageError(f"{named[real]} and {option} name one file, {path}.", hint="Give two files.")
        named[real] = option


class Verdict:
    """Thresholds of a score. Use it as a context manager around the work and the printing.

    A TalkError that passes is written to the file of test cases.
    """

    def __init__(
        self,
        known: Collection[str],
        *,
        fail_under: list[str] | None,
        fail_over: list[str] | None,
        fail_if: list[str] | None,
        junit: Path | None,
    ) -> None:
        """Read the thresholds.

        Args:
            known: Names of the metrics that have thresholds.
            fail_under: METRIC=VALUE of --fail-under.
            fail_over: METRIC=VALUE of --fail-over.
            fail_if: Conditions of --fail-if.
            junit: File of test cases, which `check_outputs` has checked; None for none.

        Raises:
            UsageError: For a threshold that is not of its form.
        """
        from talkcli.engine.pipelines.score.thresholds import Threshold

        self.thresholds: list[Threshold] = [
            *(Threshold.parse(text, is_floor=True, known=known) for text in fail_under or []),
            *(Threshold.parse(text, is_floor=False, known=known) for text in fail_over or []),
            *(Threshold.parse_condition(text, known=known) for text in fail_if or []),
        ]
        self.failed: dict[str, TalkError] | None = None if junit is None else {}
        self._junit = junit

    def __enter__(self) -> Verdict:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, TalkError):
            self._write([], self.failed or {_WHOLE: error})

    def give(self, report: Mapping[str, Any]) -> None:
        """Write the test cases, and end the command with exit code 7 if the report misses a threshold."""
        self._write(report["thresholds"], {})
        if report["missed"]:
            # The error is printed and not raised: with --json the one document on stdout is the report, which
            # lists the missed thresholds.
            print_error(
                f"Thresholds not met: {'; '.join(report['missed'])}.",
                None,
                ThresholdError.exit_code,
                as_json=False,
            )
            raise typer.Exit(ThresholdError.exit_code)

    def _write(self, thresholds: list[dict[str, Any]], errors: Mapping[str, TalkError]) -> None:
        if self._junit is None:
            return
        from talkcli.engine.pipelines.score.junit import write_junit

        for error in errors.values():
            error.reword(spoken)
        write_junit(self._junit, thresholds, errors)
