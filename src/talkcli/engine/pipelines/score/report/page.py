"""The page of `talk score --report`: tables and pictures of a report in one HTML file.

`write_report` is a function of its arguments alone; `collect` makes what a report does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.files import atomic_path
from talkcli.engine.pages import charts, html
from talkcli.engine.pages.charts import Series
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.report.joint import JointSpace, joint_space
from talkcli.engine.pipelines.score.report.pictures import (
    confusions,
    cosines,
    distributions,
    diversity_curves,
    retrievals,
    tsne_picture,
)
from talkcli.engine.pipelines.score.report.worst import NUM_WORST, ShownClip, shown_clips, worst_clips
from talkcli.engine.pipelines.score.sources import Sources
from talkcli.engine.types import Reporter

_JOINT = "Joint space of speech and true motion"
_NOT_COLLECTED = "not collected for this page"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as `talk score` prints it."""

    title: str
    """Lines above the table."""
    header: Sequence[str]
    """Names of the columns."""
    rows: Sequence[Sequence[str]]
    """Cells of each row."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a page shows and a report does not hold."""

    joint: JointSpace | str = _NOT_COLLECTED
    """The joint space of speech and motion, or the reason why it is not shown."""
    clips: Mapping[str, ShownClip | str] = field(default_factory=dict)
    """The worst clips by id, each as pictures or the reason why it cannot be shown."""


def collect(
    report: Mapping[str, Any], sources: Sources, generation: Generation, reporter: Reporter
) -> Material:
    """Collect the pictures of a report that its numbers alone do not give.

    Args:
        report: Report of `score_motions`, `emotion_table` or `diversity_table`.
        sources: Files that were scored.
        generation: Performer and its settings.
        reporter: Receiver of progress.
    """
    table = report.get("table")
    return Material(
        joint=_NOT_COLLECTED if table == "diversity" else joint_space(sources, generation, reporter),
        clips=shown_clips(report, sources, generation, reporter) if table is None else {},
    )


def write_report(
    report: Mapping[str, Any],
    path: Path,
    *,
    tables: Sequence[Table],
    notes: Sequence[str] = (),
    material: Material | None = None,
) -> None:
    """Write the page of a report.

    Args:
        report: Report of `score_motions`, `emotion_table` or `diversity_table`.
        path: HTML file to write, whole or not at all.
        tables: The report's tables, as the command prints them.
        notes: Remarks that belong to the tables.
        material: What `collect` returned; None for a page of the report's own numbers.

    Raises:
        InputError: When `path` cannot be a file.
    """
    text = report_page(report, tables, notes, material or Material())
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def report_page(
    report: Mapping[str, Any], tables: Sequence[Table], notes: Sequence[str], material: Material
) -> str:
    """Return the page as HTML; see `write_report`."""
    sections = [("tables", "Tables", _tables(tables) + "".join(map(html.paragraph, notes)))]
    if report.get("table") == "diversity":
        sections.append(("diversity", "Diversity", diversity_curves(report)))
    if report.get("confusion"):
        sections.append(("confusion", "Confusion", confusions(report)))
    if isinstance(material.joint, JointSpace):
        sections.append(("joint", _JOINT, _joint(material.joint)))
    elif report.get("table") != "diversity":
        why = f"No picture of the joint space: {material.joint}"
        sections.append(("joint", _JOINT, html.paragraph(why)))
    if report.get("table") is None:
        sections.append(("values", "Values of single clips", distributions(report)))
        sections.append(("worst", "Worst clips", _worst(report, material.clips)))
    links = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title, _ in sections)
    title = _title(report)
    body = (
        f'<a class="skip" href="#tables">Skip to the tables</a>\n<header><h1>{escape(title)}</h1>\n'
        f'<p class="soft">Made by talk {escape(str(report["talk"]))}. Marks differ in shape as well as in '
        "colour; every chart has a description in words.</p></header>\n"
        f'<nav aria-label="Parts of this page"><ul>{links}</ul></nav>\n<main>\n'
        + "".join(html.section(name, heading, content) for name, heading, content in sections)
        + "</main>"
    )
    return html.page(title, body)


def _title(report: Mapping[str, Any]) -> str:
    made, data = report.get("generation"), report.get("dataset")
    what = {"diversity": "diversity", "emotion": "emotion"}.get(report.get("table", ""), "motion")
    of = f" of {made['model_name']}" if made else ""
    on = f" on {data['name']}" if data else ""
    return f"talk score: {what}{of}{on}"


def _tables(tables: Sequence[Table]) -> str:
    return "".join(html.table(table.title, table.header, table.rows) for table in tables)


def _joint(joint: JointSpace) -> str:
    of = (
        f"Where the model {joint.model_name} puts the emotion of the clips' speech and of their true motion. "
        "The motion that is scored is not shown here."
    )
    return html.paragraph(of) + tsne_picture(joint) + cosines(joint) + retrievals(joint)


def _worst(report: Mapping[str, Any], clips: Mapping[str, ShownClip | str]) -> str:
    worst = worst_clips(report)
    shown = {id_: f"clip-{index}" for index, id_ in enumerate(clips, start=1)}
    intro = (
        "The three worst clips of each metric, without clips that are as good as the best; for metrics that "
        "are neither better high nor low, those farthest from the median. A link leads to the clip below."
    )
    if not worst:
        return html.paragraph("No metric differs between clips.")
    parts = [html.paragraph(intro)]
    rows = []
    for name, found in worst.items():
        unit = report["overall"][name]["unit"]
        cells = [_linked(id_, value, shown.get(id_)) for id_, value in found]
        empty = [""] * (NUM_WORST - len(cells))
        rows.append((f"{name}, {unit}" if unit and not name.endswith(unit) else name, *cells, *empty))
    parts.append(html.table("Worst clips and their values", ("metric", "worst", "second", "third"), rows))
    for id_, clip in clips.items():
        named = ", ".join(name for name, found in worst.items() if id_ in dict(found))
        parts.append(f'<h3 id="{shown[id_]}" tabindex="-1">{escape(id_)}</h3>\n')
        parts.append(f'<p class="soft">Among the worst in: {escape(named)}.</p>\n')
        parts.append(html.paragraph(f"Not shown: {clip}") if isinstance(clip, str) else _clip(id_, clip))
    return "".join(parts)


def _linked(id_: str, value: float, place: str | None) -> html.Markup:
    name = escape(id_) if place is None else html.link(place, id_)
    return html.Markup(f"{name} {value:.4g}")


def _clip(id_: str, clip: ShownClip) -> str:
    gap = clip.opening_mm
    top = float(max(gap.max(), 1e-6 if clip.true_mm is None else clip.true_mm.max(), 1e-6))
    series = [_curve("lip gap", clip, gap, 0)]
    if clip.true_mm is not None:
        series.append(_curve("lip gap of the true motion", clip, clip.true_mm, 1))
    if clip.loudness is not None:
        # The envelope has no unit of length: it is drawn as high as the widest gap.
        loud = clip.loudness / max(float(clip.loudness.max()), 1e-9) * top
        series.append(_curve("loudness of the speech, scaled", clip, loud, 2))
    chart = charts.lines(
        series,
        title=f"Mouth opening over the speech envelope, {id_}",
        desc=f"{len(gap)} frames; the mean lip gap is {gap.mean():.1f} mm, the largest {gap.max():.1f} mm.",
        x="seconds",
        y="mm",
        height=210.0,
        marks=False,
    )
    cut = "<p>Only the beginning is shown.</p>" if clip.is_cut else ""
    return (
        f'<div class="clip"><div><video controls preload="auto" aria-label="Video of {escape(id_)}" '
        f'src="{html.data_uri(clip.video, "video/mp4")}"></video>{cut}</div>{chart}</div>\n'
    )


def _curve(name: str, clip: ShownClip, values: Any, style: int) -> Series:
    return Series(name=name, points=np.stack([clip.seconds, values], axis=1).astype(float), style=style)
