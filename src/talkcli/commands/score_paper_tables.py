"""Print the papers' tables of `talk score --table`, with rows of our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talkcli.commands.score_tables import number, who
from talkcli.console import Console
from talkcli.engine.pipelines.score.paper_table import published_rows


def show_paper_table(console: Console, report: dict[str, Any]) -> None:
    """Print a published table with a row of our own below, and the reasons for its dashes."""
    if console.as_json:
        console.result(report, "")
        return
    table, made = report["paper_table"], report["generation"]
    if made is None:
        maker = "these files" if report.get("videos") is None else "these videos"
    else:
        maker = f"talk: {made['method']}"
    rows = [*map(_published, table["rows"]), *_ours(table, maker)]
    title = "\n".join([*who(report), *table["caption"]])
    console.table(report, title=title, header=_header(table), rows=rows)
    if without := _reasons(table):
        console.table(report, title="no value", header=("column", "because"), rows=without)


def show_models(console: Console, report: dict[str, Any]) -> None:
    """Print a published table in which every scored model has its row below that of its method; models of
    methods that the table does not name come last.
    """
    if console.as_json:
        console.result(report, "")
        return
    scored = [row for row in report["models"] if row["paper_table"] is not None]
    table = scored[0]["paper_table"]
    header = _header(table)
    methods = [row["method"] for row in table["rows"]]
    below: dict[str | None, list[tuple[str, ...]]] = {}
    for row in scored:
        about = published_rows(row["report"]["generation"]["method"], methods)
        below.setdefault(about[-1] if about else None, []).extend(
            _ours(row["paper_table"], f"talk: {row['model']}")
        )
    rows = []
    for row in table["rows"]:
        rows += [_published(row), *below.get(row["method"], ())]
    said = {line: None for row in scored for line in [*who(row["report"]), *row["paper_table"]["caption"]]}
    console.table(report, title="\n".join(said), header=header, rows=[*rows, *below.get(None, ())])
    without = [(row["model"], "all", row["reason"]) for row in report["models"] if row["reason"] is not None]
    without += [(row["model"], *reason) for row in scored for reason in _reasons(row["paper_table"])]
    if without:
        console.table(report, title="no value", header=("model", "column", "because"), rows=without)


def _header(table: Mapping[str, Any]) -> tuple[str, ...]:
    return ("method", *(f"{column['dataset']} {column['name']}" for column in table["columns"]))


def _published(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (row["method"], *("-" if cell is None else f"{cell:g}" for cell in row["cells"]))


def _ours(table: Mapping[str, Any], maker: str) -> list[tuple[str, ...]]:
    """Return our lines: by the paper's judges, and by ours where they have values."""
    lines = [(maker, *(number(found["value"]) for found in table["ours"]))]
    if any(found["value"] is not None for found in table["by_our_judge"]):
        cells = (number(found["value"]) for found in table["by_our_judge"])
        lines.append((f"{maker}, judge of ours: not comparable", *cells))
    return lines


def _reasons(table: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (heading, found["reason"])
        for heading, found in zip(_header(table)[1:], table["ours"], strict=True)
        if found["value"] is None
    ]
