"""`talk score --table`: a model measured as a whole, on speech of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talkcli.console import Console
from talkcli.engine.errors import UsageError
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES

_FEW = 1e-2


def check_unused(table: str, given: Mapping[str, object]) -> None:
    """Raise UsageError where any option of `given` has a value: `table` has no use for it."""
    if unused := [name for name, value in given.items() if value]:
        raise UsageError(
            f"--table {table} has no use for {', '.join(unused)}: a model animates as the table says.",
            hint="Give it speech: --audio or --dataset.",
        )


def show_diversity(console: Console, report: dict[str, Any]) -> None:
    """A row for every setting."""
    space = report["head"]
    columns = {
        "diversity_mm": f"diversity, mm (vertices of {space})",
        "diversity_l2": f"diversity, L2 (coefficient sequences of {space})",
        "sync_r": "sync_r",
        "bilabial_closure": "closed in p, b, m",
        "lse_d": "LSE-D",
    }
    rows = []
    for row in report["rows"]:
        drawn = "argmax" if row["tau_top"] == 0 else f"tau {row['tau_top']:g}, {row['tau_bottom']:g}"
        sigma = "mean" if row["sigma"] is None else f"sigma {row['sigma']:g}"
        rows.append((sigma, drawn, *(number(row[name]["value"]) for name in columns)))
    console.table(
        report,
        title=f"{len(report['clips'])} clips, {report['takes']} takes each",
        header=("emotion", "slow and fast codes", *columns.values()),
        rows=rows,
    )
    for name, found in report["rows"][0].items():
        if name in columns and found["value"] is None:
            console.note(f"{columns[name]}: {found['reason']}.")
    console.note("The temperatures are ours: those of the paper's table are not known.")


def show_emotion(console: Console, report: dict[str, Any], *, per_clip: bool) -> None:
    """A row for every measure; and one for every clip if asked for."""
    rows = []
    for name, info in EMOTION_MEASURES.items():
        found = report["measures"][name]
        value = f"{number(found['value'])} {info.unit}".strip()
        if found["standard_error"] is not None:
            value += f" \N{PLUS-MINUS SIGN} {number(found['standard_error'])}"
        chance = "-" if found["chance"] is None else number(found["chance"])
        why = info.meaning if found["value"] is not None else found["reason"]
        rows.append((name, value, chance, str(found["clips"]), why))
    if per_clip and not console.as_json:
        _show_clips(console, report)
    speakers = len(report["speakers"])
    console.table(
        report,
        title=f"{report['num_clips']} clips, {speakers} speakers, {len(report['emotions'])} emotions; "
        f"standard errors over {report['errors_over']}",
        header=("measure", "value", "chance", "clips", "meaning, or why there is no value"),
        rows=rows,
    )
    learned = report["lessons"]
    if "clips" in learned:
        console.note(f"The classifier learned from {learned['clips']} clips of {learned['manifest']}.")


def _show_clips(console: Console, report: dict[str, Any]) -> None:
    named = [name for name in EMOTION_MEASURES if any(name in clip for clip in report["clips"])]
    console.table(
        report,
        title="what every clip was named",
        header=("clip", "speaker", "emotion", *named),
        rows=[
            (clip["id"], clip["speaker"], clip["emotion"], *(clip.get(name, "-") for name in named))
            for clip in report["clips"]
        ],
    )


def number(value: float | None) -> str:
    """Three decimals, or three digits where these show little; a dash for None."""
    if value is None:
        return "-"
    return f"{value:.2e}" if 0 < abs(value) < _FEW else f"{value:.3f}"
