"""Several models scored on the same clips, each beside the published number of its method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from talkcli.engine.errors import TalkError, UsageError
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.paper_table import paper_table
from talkcli.engine.pipelines.score.schema import SCHEMA
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__


def score_models(
    names: Sequence[str],
    table: str,
    *,
    score: Callable[[Generation], dict[str, Any]],
    generation: Generation,
    reporter: Reporter,
) -> tuple[dict[str, Any], int]:
    """Score each model, and return the table `table` with a row for each, and the exit code of the command.

    A model that fails leaves the others their rows: its own has the reason in place of values.

    Args:
        names: Models, as `Generation.model_name` takes them.
        table: Key of `TABLES`.
        score: Scores the motion of one generation, with the metrics of `table_metrics`.
        generation: Settings of all generations but the model.
        reporter: Receiver of a warning for each model that fails.

    Returns:
        A document ready for JSON: `schema`, `table` (`models`), `talk`; `models` (for each `model` the
        `report` of `score_motions` and the `paper_table` with its row, or the `reason` why there is none).
        The exit code is that of the first error, or 0.

    Raises:
        UsageError: For a model that is named twice.
        TalkError: When all models fail: the first one's error.
    """
    if len(set(names)) < len(names):
        raise UsageError("`model` names the same model twice.", hint="Name each once.")
    rows: list[dict[str, Any]] = []
    failed: list[TalkError] = []
    for name in names:
        try:
            report = score(replace(generation, model_name=name))
        except TalkError as error:
            failed.append(error)
            reporter.warn(f"{name}: {error.problem}")
            rows.append(_row(name, reason=error.problem))
        else:
            rows.append(_row(name, report=report, paper_table=paper_table(table, report)))
    if len(failed) == len(names):
        raise failed[0]
    document = {"schema": SCHEMA, "table": "models", "talk": __version__, "models": rows}
    return document, failed[0].exit_code if failed else 0


def _row(model: str, **found: Any) -> dict[str, Any]:
    return {"model": model, "report": None, "paper_table": None, "reason": None} | found
