"""A published table with a row of our own, and what makes both comparable or not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from talkcli.engine.methods import METHODS
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.pipelines.score.published import TABLES, Column, Table

# Names of prepared data sets that the tables call otherwise.
_ALSO: Mapping[str, str] = {
    "mead-raw": "mead",
    "ravdess3d": "ravdess",
    "emo-vox": "emovox",
    "cremad": "crema-d",
    "crema_d": "crema-d",
}


def table_metrics(name: str) -> list[str]:
    """Return the metrics of talk that the columns of the table `name` need."""
    columns = [column for each in TABLES[name].columns.values() for column in each]
    wanted = {metric for column in columns for metric in (column.metric, column.own)}
    return [metric for metric in METRICS if metric in wanted]


def paper_table(name: str, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the published table `name` with the values of `report`.

    Args:
        name: Key of `TABLES`.
        report: Report of `score_motions`, with the metrics of `table_metrics`.

    Returns:
        A document ready for JSON: `name`; `source`; `columns` (heading, data set, `metric` and
        `own_metric`, as in `Column`); `rows` (method and cells, None where the paper prints none); `ours`
        (for each column the value by the paper's judge or the reason why there is none); `by_our_judge` (the
        same by judges of ours, whose values do not compare with the rows); `caption` (sentences that say what
        is comparable).
    """
    table = TABLES[name]
    data_set = _data_set(report)
    columns = [(where, column) for where, columns in table.columns.items() for column in columns]
    return {
        "name": name,
        "source": table.source,
        "columns": [
            {"name": column.name, "dataset": where, "metric": column.metric, "own_metric": column.own}
            for where, column in columns
        ],
        "rows": [
            {"method": method, "cells": [number for where in table.columns for number in cells[where]]}
            for method, cells in table.rows.items()
        ],
        "ours": [_cell(column, column.metric, where, data_set, report) for where, column in columns],
        "by_our_judge": [_cell(column, column.own, where, data_set, report) for where, column in columns],
        "caption": _caption(table, data_set, report),
    }


def published_rows(method: str | None, rows: Sequence[str]) -> list[str]:
    """Return those of a table's `rows` that are about a method of talk: EMOTE (MEAD) is about emote."""
    if method not in METHODS:
        return []
    return [row for row in rows if _name(row) == _name(METHODS[method].paper)]


def _name(text: str) -> str:
    """Return the name of a method, without what follows in brackets or behind a comma."""
    return re.split(r" \(|, ", text)[0]


def _data_set(report: Mapping[str, Any]) -> str | None:
    """Return the name of the data set that was scored, as the tables call it; None without a data set."""
    described = report["dataset"]
    if described is None:
        return None
    given = Path(described["name"])
    folder = given.parent if given.suffix in (".jsonl", ".parquet") else given
    name = folder.absolute().name.lower()
    return _ALSO.get(name, name)


def _cell(
    column: Column, metric: str | None, where: str, data_set: str | None, report: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the value of `metric` in the unit of the column, or the reason why there is none."""
    found = None if metric is None else report["overall"].get(metric)
    value = None
    if data_set != where:
        reason = f"this score is of {data_set or 'no data set'}, not of {where}"
    elif metric is None:
        reason = "the paper's judge is not published" if column.own else "no judge measures this"
    elif found is None:
        reason = f"talk does not measure {metric} for this table"
    else:
        value = None if found["value"] is None else found["value"] * column.factor
        reason = found["reason"]
    return {"value": value, "reason": reason}


def _caption(table: Table, data_set: str | None, report: Mapping[str, Any]) -> list[str]:
    lines = [f"Published: {table.source}. Measured on {table.truth}."]
    described = report["dataset"]
    if data_set in table.columns:
        clips = f"{described['clips']} clips of the split {described['split']}"
        lines.append(
            f"Ours: {clips} of {data_set} as talk prepares it. The paper's list of clips is another one, so "
            "that neighbouring numbers are of one kind, and not of the same clips."
        )
    else:
        there = ", ".join(table.columns)
        lines.append(f"Not comparable: the table is about {there}, this score about {data_set or 'files'}.")
    truth = report["truth"]
    if truth is None:
        lines.append("Ours has no true motion.")
    elif truth["stand_in"]:
        lines.append("Not comparable: our true motion is a stand-in, for no face was measured.")
    used = {METRICS[name].vertices for name in report["overall"] if name in METRICS}
    sizes = [f"{name} {size}" for name, size in report["vertex_sets"].items() if size and name in used]
    lines.append(f"Our vertices: {report['head']} ({', '.join(sizes) or 'none'}), mean identity.")
    for metric, found in report["overall"].items():
        if (judge := found.get("judge")) is not None:
            lines.append(f"Judge of {metric}: {judge['name']} (sha256 {judge['sha256'][:12]}).")
    return lines
