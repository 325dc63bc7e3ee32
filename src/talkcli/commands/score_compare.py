"""`talk score compare`: whether two scores of the same clips differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from talkcli.commands.options import AsJson, Quiet, Seed
from talkcli.commands.score_options import Metric
from talkcli.commands.score_tables import number
from talkcli.console import Console
from talkcli.engine.metrics.catalogue import chosen_metrics
from talkcli.engine.wording import counted
from talkcli.option_names import spoken_reasons


def compare(
    first: Annotated[Path, typer.Argument(metavar="A.json", help="Report: what talk score --json printed.")],
    second: Annotated[Path, typer.Argument(metavar="B.json", help="The other report, on the same clips.")],
    metric: Metric = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compare two reports clip by clip, with bootstrap intervals over clips and over speakers.

    talk score compare a.json b.json

    A difference is called one only if the interval of B - A excludes 0, the wider of both intervals, and if
    Holm's adjustment for all compared metrics leaves it one.
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.score.compare import compare_reports

        report = compare_reports(
            first,
            second,
            metrics=chosen_metrics(metric) if metric else None,
            seed=seed,
            reporter=console,
        )
    _show(console, spoken_reasons(report))


def _show(console: Console, report: dict[str, Any]) -> None:
    if console.as_json:
        console.result(report, "")
        return
    rows, without = [], []
    for name, found in report["metrics"].items():
        if found["interval"] is None:
            without.append((name, number(found["difference"]), found["reason"]))
            continue
        low, high = found["interval"]
        over = "speakers" if found["interval"] == found["over_speakers"] else "clips"
        word = "B is higher" if found["difference"] > 0 else "B is lower"
        if not found["differs_alone"]:
            word = "none shown"
        elif not found["differs"]:
            word = "not after Holm"
        one, other = (number(mean) for mean in found["means"])
        span = f"{number(low)} to {number(high)} {found['unit']}".rstrip()
        rows.append(
            (
                name,
                one,
                other,
                number(found["difference"]),
                span,
                over,
                str(found["clips"]),
                number(found["p_holm"]),
                word,
            )
        )
    speakers = "" if report["speakers"] is None else f", {counted(report['speakers'], 'speaker')}"
    title = "\n".join(
        [
            f"A: {_who(report['reports'][0])}",
            f"B: {_who(report['reports'][1])}",
            f"{counted(report['clips'], 'clip')} in common{speakers}; means over these clips",
            "Every interval stands alone. A difference is one if its interval excludes 0 and Holm's p, "
            f"which is adjusted for {counted(len(rows), 'metric')}, is below {1 - report['confidence']:.2f}.",
        ]
    )
    header = (
        "metric",
        "A",
        "B",
        "B - A",
        f"{report['confidence']:.0%} interval",
        "over",
        "clips",
        "Holm",
        "difference",
    )
    console.table(report, title=title, header=header, rows=rows)
    if without:
        console.table(report, title="no interval", header=("metric", "B - A", "because"), rows=without)
    for reason in dict.fromkeys(found["reason"] for found in report["metrics"].values() if found["interval"]):
        if reason is not None:
            console.note(f"Note: {reason}.")


def _who(report: dict[str, Any]) -> str:
    made = report["generation"]
    if not isinstance(made, dict):
        return str(report["path"])
    model = f"{made.get('method')} {str(made.get('weights_sha256'))[:12]}"
    return f"{report['path']}: {model}, seed {made.get('seed')}"
