"""Print the tables of `talk score`: the maker of the motion, the truth, and the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talkcli.console import Console
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.engine.pipelines.score.published import (
    DIVERSITY_OF_CODES,
    DIVERSITY_OF_FACEDIFFUSER,
    DIVERSITY_OF_SIGMA,
)
from talkcli.engine.wording import counted

# Value below which `number` prints three significant digits instead of three decimals, which would show too
# little of it.
_FEW = 1e-2
# Metrics that the table prints for every emotion; --json has all metrics.
_BY_EMOTION = ("lve_mm", "eve_mm", "sync_r", "bilabial_closure", "silence_closed")


def show_motions(console: Console, report: dict[str, Any], *, per_clip: bool) -> None:
    """Print a row for every metric with a value, then the metrics without one.

    Then print a row for every emotion and, with `per_clip`, for every clip.
    """
    if console.as_json:
        console.result(report, "")
        return
    overall = report["overall"]
    known = [name for name, found in overall.items() if found["value"] is not None]
    if per_clip:
        _show_clips(console, report, known)
    several = "seeds" in report
    rows: list[tuple[str, ...]] = []
    for name in known:
        info, found = METRICS[name], overall[name]
        judge = found["judge"]["name"] if found.get("judge") else ""
        size = report["vertex_sets"][info.vertices]
        seen = f"{info.vertices} ({'-' if size is None else size})"
        if report.get("videos") is not None and info.sees == "pictures":
            seen = "pictures"
        over = f"{seen}, {info.over_clips} of {found['clips']}"
        spread = found["spread"]
        deviations = [number(spread["sd"] if spread else None)]
        if several:
            deviations.append(number(found["between_seeds"]["sd"]))
        rows.append((name, _value(found, info.unit, judge=judge), *deviations, f"{info.meaning}; {over}"))
    sds = ("sd", "sd of seeds") if several else ("sd",)
    title = "\n".join([*who(report), f"head: {report['head']}, mean identity; sd: over clips"])
    console.table(report, title=title, header=("metric", "value", *sds, "what it is"), rows=rows)
    if without := [(name, found["reason"]) for name, found in overall.items() if name not in known]:
        console.table(report, title="no value", header=("metric", "because"), rows=without)
    if len(report["emotions"]) > 1:
        _show_emotions(console, report)


def _show_emotions(console: Console, report: dict[str, Any]) -> None:
    overall = report["overall"]
    shown = [name for name in _BY_EMOTION if name in overall and overall[name]["value"] is not None]
    clips = [clip["emotion"] for clip in report["clips"]]
    console.table(
        report,
        title="by emotion" + _against(report),
        header=("emotion", "clips", *shown),
        rows=[
            (emotion, str(clips.count(emotion)), *(number(found[name]["value"]) for name in shown))
            for emotion, found in report["emotions"].items()
        ],
    )


def _show_clips(console: Console, report: dict[str, Any], known: list[str]) -> None:
    console.table(
        report,
        title="every clip" + _against(report),
        header=("clip", "frames", "fps", "takes", *known),
        rows=[
            (
                clip["id"],
                str(clip["frames"]),
                f"{clip['fps']:g}",
                str(clip["takes"]),
                *(number(clip["metrics"][name]["value"]) for name in known),
            )
            for clip in report["clips"]
        ],
    )


def show_diversity(console: Console, report: dict[str, Any]) -> None:
    """Print a row for every setting of the diversity table."""
    space = report["head"]
    judge = report["rows"][0]["lse_d"].get("judge")
    whose = "our judge" if judge is None else judge["name"].partition(",")[0]
    columns = {
        "diversity_mm": "diversity_mm",
        "diversity_l2": "diversity_l2",
        "sync_r": "sync_r",
        "bilabial_closure": "closed in p, b, m",
        "lse_d": f"LSE-D ({whose})",
    }
    books = list(report["rows"][0]["codes"])
    headings = [*columns.values(), *(f"{book} codes used, perplexity" for book in books)]
    rows: list[tuple[str, ...]] = []
    published = _published_diversity(report["rows"])
    for row, printed in zip(report["rows"], published, strict=True):
        drawn = "argmax" if row["tau_top"] == 0 else f"tau {row['tau_top']:g}, {row['tau_bottom']:g}"
        sigma = "mean" if row["sigma"] is None else f"sigma {row['sigma']:g}"
        cells = [number(row[name]["value"]) for name in columns]
        used = [row["codes"][book] for book in books]
        cells += [f"{100 * book['used']:.0f} %, {book['perplexity']:.1f}" for book in used]
        rows.append((f"{sigma}, {drawn}", *cells, *printed))
    console.table(
        report,
        title="\n".join(
            [
                *who(report, settings=False),
                f"{counted(report['takes'], 'take')} each; emotion, then slow and fast codes; "
                f"diversity_mm in vertices of {space}, diversity_l2 in coefficient sequences of {space}",
            ]
        ),
        header=("drawn", *headings, "paper's diversity", "paper's LSE-D"),
        rows=[*rows, ("FaceDiffuser", *("-" for _ in headings), *map(_printed, DIVERSITY_OF_FACEDIFFUSER))],
    )
    for name, found in report["rows"][0].items():
        if name in columns and found["value"] is None:
            console.note(f"{columns[name]}: {found['reason']}.")
    console.note(
        "The paper measures on MEAD, in a space that it does not state: its columns show an order, no scale. "
        "The temperatures are ours: those of the paper's last three rows are not known."
    )


def _published_diversity(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the paper's cells beside each setting; its rows of temperatures stand in the paper's order."""
    of_codes = iter(DIVERSITY_OF_CODES)
    cells = []
    for row in rows:
        found = None
        if row["tau_top"] > 0:
            found = next(of_codes, None)
        elif row["sigma"] is not None:
            found = DIVERSITY_OF_SIGMA.get(row["sigma"])
        cells.append(("-", "-") if found is None else (_printed(found[0]), _printed(found[1])))
    return cells


def _printed(published: float) -> str:
    return f"{published:.2f}"


def show_emotion(console: Console, report: dict[str, Any], *, per_clip: bool) -> None:
    """Print a row for every measure with a value, then those without one; with `per_clip` every clip."""
    if console.as_json:
        console.result(report, "")
        return
    rows, without = [], []
    for name, info in EMOTION_MEASURES.items():
        found = report["measures"][name]
        if found["value"] is None:
            without.append((name, found["reason"]))
            continue
        error = found["standard_error"]
        spread = "" if error is None else f"\N{PLUS-MINUS SIGN} {number(error)}"
        chance = "-" if found["chance"] is None else number(found["chance"])
        rows.append((name, _value(found, info.unit, spread), chance, str(found["clips"]), info.meaning))
    if per_clip:
        _show_named(console, report)
    speakers = len(report["speakers"])
    counts = (
        f"{counted(report['num_clips'], 'clip')}, {counted(speakers, 'speaker')}, "
        f"{counted(len(report['emotions']), 'emotion')}; "
        f"standard errors over {report['errors_over']}"
    )
    console.table(
        report,
        title="\n".join([*who(report), *_taught(report), counts]),
        header=("measure", "value", "chance", "clips", "what it is"),
        rows=rows,
    )
    if without:
        console.table(report, title="no value", header=("measure", "because"), rows=without)


def _show_named(console: Console, report: dict[str, Any]) -> None:
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


def who(report: Mapping[str, Any], *, settings: bool = True) -> list[str]:
    """Return lines with version and clips, the maker of the motion and its settings, and the truth."""
    data = report["dataset"]
    of = "" if data is None else f" of {data['name']}, split {data['split']} ({data['manifest']})"
    first = "" if report.get("limit") is None else f", the first {report['limit']} only"
    lines = [f"talk {report['talk']}: {counted(len(report['clips']), 'clip')}{of}{first}"]
    made = report["generation"]
    if (videos := report.get("videos")) is not None:
        lines.append(_of_videos(report, videos))
    elif made is None:
        lines.append(f"motion: {_counted(report['motion'])}")
    else:
        model = made["model_name"] + (
            "" if made["weights_sha256"] is None else f" ({made['method']} {made['weights_sha256'][:12]})"
        )
        drawn = "none (the mean)" if made["sigma"] is None else f"{made['sigma']:g}"
        actor = "" if made["actor"] is None else f", actor {made['actor']}"
        how = f"; sigma {drawn}, takes {made['takes']}" if settings else ""
        laid = "; with all layers" if made["layers"] else ""
        sound = "" if made["degrade"] is None else f"; of speech degraded by {made['degrade']}"
        seeds = made.get("seeds", [made["seed"]])
        drawn_by = f"seed {seeds[0]}" if len(seeds) == 1 else f"means over seeds {seeds[0]} to {seeds[-1]}"
        lines.append(f"motion: made by {model}{how}{actor}; {drawn_by}{sound}{laid}")
    if (truth := report.get("truth")) is not None:
        lines.append(f"truth: {truth['text']}{_warning(truth)}")
    return lines


def _of_videos(report: Mapping[str, Any], videos: Mapping[str, Any]) -> str:
    total, lost = len(report["clips"]), len(videos["unusable"])
    scored = f"{total - lost} of {total} can be scored" if lost else "all can be scored"
    return (
        f"videos of {videos['folder']}, scored as they are encoded ({scored}); their motion: captured by "
        f"talk, {_counted(report['motion']) or 'none'}"
    )


def _taught(report: Mapping[str, Any]) -> list[str]:
    learned = report["training_set"]
    if "truth" not in learned:
        return []
    truth = learned["truth"]
    return [
        f"the classifier of motion learned from {counted(learned['clips'], 'clip')} "
        f"of {learned['manifest']}: "
        f"{truth['text']}{_warning(truth)}"
    ]


def _warning(truth: Mapping[str, Any]) -> str:
    return " - a stand-in: no face was measured" if truth["stand_in"] else ""


def _against(report: Mapping[str, Any]) -> str:
    truth = report["truth"]
    return "" if truth is None else f"; errors are against motion {truth['text']}"


def _counted(origins: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {origin}" if len(origins) > 1 else origin for origin, count in origins.items())


def _value(found: Mapping[str, Any], unit: str, spread: str = "", *, judge: str = "") -> str:
    """Return the number with its unit, the origin of the truth that it depends on, and who judged."""
    parts = [number(found["value"]), unit, spread]
    if found.get("truth"):
        parts.append(f"vs {found['truth']}")
    if notes := [note for note in (judge, found.get("scored", "")) if note]:
        parts.append(f"({'; '.join(notes)})")
    return " ".join(part for part in parts if part)


def number(value: float | None) -> str:
    """Format with three decimals, or three significant digits if these show too little; None is a dash."""
    if value is None:
        return "-"
    return f"{value:.2e}" if 0 < abs(value) < _FEW else f"{value:.3f}"
