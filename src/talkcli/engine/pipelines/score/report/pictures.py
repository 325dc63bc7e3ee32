"""The charts of a report's page, each with a description in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from talkcli.engine.pages import charts, html
from talkcli.engine.pages.charts import Series
from talkcli.engine.pipelines.score.report.joint import JointSpace
from talkcli.engine.types import EMOTIONS


def tsne_picture(joint: JointSpace) -> str:
    """Return the t-SNE of the joint space: colour and shape are emotions, outlines are true motion."""
    series = []
    for is_motion, kind in ((False, "speech"), (True, "true motion")):
        for label in np.unique(joint.labels):
            chosen = (joint.labels == label) & (joint.is_motion == is_motion)
            if chosen.any():
                name = f"{EMOTIONS[label]}, {kind}"
                points = joint.placed[chosen].astype(float)
                series.append(Series(name=name, points=points, style=int(label), hollow=is_motion))
    own, chance = _own_neighbours(joint)
    title = f"t-SNE of the emotion embedding, {len(joint.placed)} points of {joint.num_clips} clips"
    desc = (
        f"{own:.0%} of the points have a nearest neighbour in the picture with the same emotion; "
        f"{chance:.0%} would by chance. Filled marks are speech, outlines are true motion."
    )
    return charts.scatter(series, title=title, desc=desc) + html.paragraph(desc)


def _own_neighbours(joint: JointSpace) -> tuple[float, float]:
    apart = np.linalg.norm(joint.placed[:, None] - joint.placed[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    shares = np.unique(joint.labels, return_counts=True)[1] / len(joint.labels)
    return float((joint.labels[apart.argmin(axis=1)] == joint.labels).mean()), float((shares**2).sum())


def cosines(joint: JointSpace) -> str:
    """Return for each emotion a histogram of the cosines of speech and true motion."""
    if not joint.retrieval:
        return html.paragraph("No cosines and no retrieval: no clip has true motion.")
    if not joint.cosines:
        return html.paragraph("No cosines: all clips with true motion have one emotion.")
    middles = (np.array(joint.edges[:-1]) + np.array(joint.edges[1:])) / 2
    parts = []
    for emotion, (same, other) in joint.cosines.items():
        means = [float(middles @ np.array(shares)) for shares in (same, other)]
        chart = charts.histogram(
            {"motion of this emotion": same, "motion of another emotion": other},
            joint.edges,
            title=f"Cosines of {emotion} speech with true motion",
            desc=f"Mean cosine {means[0]:.2f} with motion of the same emotion, {means[1]:.2f} with others.",
            x="cosine",
            y="share of pairs",
        )
        parts.append(chart)
    return f"<h3>Cosines</h3><div class='grid'>{''.join(parts)}</div>\n"


def retrievals(joint: JointSpace) -> str:
    """Return the matrices of the emotions of queries and of their nearest items."""
    parts = []
    for direction, counts in joint.retrieval.items():
        hits, total = int(np.trace(counts)), int(np.sum(counts))
        parts.append(
            charts.heat_map(
                counts,
                joint.emotions,
                joint.emotions,
                title=f"Retrieval, {direction}: {hits} of {total} nearest items have the query's emotion",
                desc=_best_and_worst(counts, joint.emotions),
                row_axis="query",
                column_axis="nearest",
            )
        )
    if not parts:
        return ""
    return f"<h3>Retrieval</h3><div class='grid large'>{''.join(parts)}</div>\n"


def confusions(report: Mapping[str, Any]) -> str:
    """Return the confusion matrices of an emotion report."""
    parts = []
    labels = report["labels"]
    for name, counts in report["confusion"].items():
        present = [
            index for index in range(len(labels)) if sum(counts[index]) or sum(row[index] for row in counts)
        ]
        shown = [[counts[row][column] for column in present] for row in present]
        names = [labels[index] for index in present]
        hits, total = int(np.trace(shown)), int(np.sum(shown))
        parts.append(
            charts.heat_map(
                shown,
                names,
                names,
                title=f"{name}: {hits} of {total} clips named right",
                desc=_best_and_worst(shown, names),
                row_axis="true",
                column_axis="named",
            )
        )
    return f"<div class='grid large'>{''.join(parts)}</div>\n"


def _best_and_worst(counts: list[list[int]], names: list[str]) -> str:
    shares = [row[index] / sum(row) if sum(row) else 0.0 for index, row in enumerate(counts)]
    words = ", ".join(f"{name} {share:.0%}" for name, share in zip(names, shares, strict=True))
    return f"Share of each row on the diagonal: {words}."


def diversity_curves(report: Mapping[str, Any]) -> str:
    """Return a curve over the sampling settings for every column of the diversity table that has values."""
    settings = [
        ("mean" if row["sigma"] is None else f"sigma {row['sigma']:g}")
        + ("" if row["tau_top"] == 0 else f", tau {row['tau_top']:g}")
        for row in report["rows"]
    ]
    parts = []
    for column, cell in report["rows"][0].items():
        # The other entries of a row are its settings, and the codes that it uses.
        if not isinstance(cell, dict) or column == "codes":
            continue
        values = [row[column]["value"] for row in report["rows"]]
        if all(value is None for value in values):
            continue
        # Rows with sampled emotion and rows with sampled codes are two experiments.
        by_sigma = [
            value if row["tau_top"] == 0 else None for value, row in zip(values, report["rows"], strict=True)
        ]
        by_tau = [
            value if row["tau_top"] != 0 else None for value, row in zip(values, report["rows"], strict=True)
        ]
        series = [
            Series(name=name, points=_numbered(found), style=style)
            for style, (name, found) in enumerate(
                {"emotion is sampled": by_sigma, "codes are sampled": by_tau}.items()
            )
        ]
        said = "; ".join(f"{s}: {v:.3g}" for s, v in zip(settings, values, strict=True) if v is not None)
        parts.append(
            charts.lines(
                series,
                title=f"{column} by setting",
                desc=f"{said}.",
                x="setting",
                y=cell.get("unit") or column,
                names=settings,
            )
        )
    return f"<div class='grid large'>{''.join(parts)}</div>\n"


def _numbered(values: list[float | None]) -> np.ndarray:
    return np.array(
        [(index, np.nan if value is None else value) for index, value in enumerate(values)], float
    )


def distributions(report: Mapping[str, Any]) -> str:
    """Return for each metric the values of all clips, in a row for each emotion."""
    parts, same = [], []
    for name, found in report["overall"].items():
        groups: dict[str, list[float]] = {}
        for clip in report["clips"]:
            value = clip["metrics"][name]["value"]
            if value is not None:
                groups.setdefault(clip["emotion"] or "all clips", []).append(value)
        if sum(map(len, groups.values())) < 2:
            continue
        if len(different := {value for values in groups.values() for value in values}) == 1:
            same.append(f"{name} {different.pop():.4g}")
            continue
        ordered = {key: groups[key] for key in sorted(groups, key=_place)}
        medians = ", ".join(f"{key} {np.median(values):.3g}" for key, values in ordered.items())
        parts.append(
            charts.strip_plot(
                ordered,
                title=name,
                desc=f"A tick is a clip, a triangle the median of its row. Medians: {medians}.",
                x=f"{name} {found['unit']}" if found["unit"] and not name.endswith(found["unit"]) else name,
            )
        )
    equal = html.paragraph(f"The same for all clips: {', '.join(same)}.") if same else ""
    if not parts:
        return equal or html.paragraph("No metric has values of two clips.")
    intro = equal + html.paragraph("A tick is a clip, a triangle the median of its row.")
    return intro + html.details("A strip for each metric", f"<div class='grid'>{''.join(parts)}</div>\n")


def _place(emotion: str) -> int:
    return EMOTIONS.index(emotion) if emotion in EMOTIONS else len(EMOTIONS)
