"""Charts as inline SVG: scatter, histogram, heat map, lines, strip plot.

Every chart is a figure with a caption, and its SVG has a title and a description for those who cannot see it.
Series differ in shape, dash or hatching and not only in colour. Axis names: `points`, `bins`, `rows`,
`columns`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float

from talkcli.engine.pages import html
from talkcli.engine.pages.axes import Scale, scale_of, x_axis, y_axis

_NUM_COLOURS = 9
# Outlines around (0, 0), one per series.
_SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", "M-3.6 -3.6H3.6V3.6H-3.6Z", "M0 -4.6L4.4 3.4H-4.4Z",
    "M0 -5L5 0L0 5L-5 0Z", "M0 4.6L4.4 -3.4H-4.4Z",
    "M-1.6 -4.6H1.6V-1.6H4.6V1.6H1.6V4.6H-1.6V1.6H-4.6V-1.6H-1.6Z",
    "M0 -5L1.4 -1.6L5 -1.5L2.2 .8L3.1 4.4L0 2.3L-3.1 4.4L-2.2 .8L-5 -1.5L-1.4 -1.6Z",
    "M-4.6 -2V2L-2 4.6H2L4.6 2V-2L2 -4.6H-2Z", "M-4.8 -2.2H4.8V2.2H-4.8Z",
)  # fmt: skip
_DASHES = ("none", "7 4", "2 3", "9 3 2 3", "4 4", "12 4", "1 5", "6 2 1 2", "3 2")
_WIDTH, _HEIGHT = 520.0, 340.0
# Width of charts that stand in rows.
_SMALL = 380.0
# Largest size on the screen, in CSS pixels per SVG unit.
_LARGEST = 1.35
# Room for axes: left, right, top, bottom.
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 16.0, 34.0, 46.0
_LEGEND_ROW = 20.0


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points or values of one kind."""

    name: str
    """Name in the legend."""
    points: Float[np.ndarray, "points 2"]
    """Positions as x and y; y may be NaN, which leaves a gap in a line."""
    style: int = 0
    """Number of the shape, dash and colour."""
    hollow: bool = False
    """Whether marks are outlines."""


def scatter(series: Sequence[Series], *, title: str, desc: str, x: str = "", y: str = "") -> str:
    """Return points in the plane, both axes of one scale, each series with a shape of its own."""
    points = np.concatenate([item.points for item in series])
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    reach = float(np.ptp(points, axis=0).max()) / 2 or 1.0
    side = _HEIGHT - 30
    marks = []
    for item in series:
        for at in (item.points - centre) / reach * (side / 2 - 12):
            marks.append(_mark(item.style, at[0] + side / 2 + 10, side / 2 + 10 - at[1], hollow=item.hollow))
    labels = f'<text class="soft" x="12" y="{side + 24}">{escape(x)}</text>'
    labels += f'<text class="soft" x="12" y="20">{escape(y)}</text>'
    legend = _legend_column(series, side + 28)
    return _figure(
        "".join(marks) + labels + legend, title, desc, height=max(_HEIGHT, 24.0 * len(series) + 20)
    )


def histogram(
    counts: Mapping[str, Sequence[float]], edges: Sequence[float], *, title: str, desc: str, x: str, y: str
) -> str:
    """Return steps over bins: the first kind filled, the next ones as dashed outlines.

    Args:
        counts: Height of every bin for each kind.
        edges: Bounds of the bins, one more than bins.
        title: Caption.
        desc: Description for those who cannot see the chart.
        x: Name of the values.
        y: Name of the heights.
    """
    height = 220.0
    across = scale_of(edges, _LEFT, _SMALL - _RIGHT)
    up = scale_of([v for heights in counts.values() for v in heights], height - _BOTTOM, _TOP, from_zero=True)
    parts = [y_axis(up, _LEFT, _SMALL - _RIGHT, y), x_axis(across, height - _BOTTOM, x)]
    for index, heights in enumerate(counts.values()):
        path = f"M{across(edges[0]):.1f} {up(0.0):.1f}" + "".join(
            f"V{up(value):.1f}H{across(end):.1f}" for value, end in zip(heights, edges[1:], strict=True)
        )
        path += f"V{up(0.0):.1f}"
        if index == 0:
            parts.append(f'<path class="s0 area" d="{path}Z"/>')
        parts.append(_curve(index, path))
    legend, extra = _legend_rows(list(counts), height, across=1)
    return _figure("".join(parts) + legend, title, desc, width=_SMALL, height=height + extra)


def heat_map(
    counts: Sequence[Sequence[int]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    desc: str,
    row_axis: str,
    column_axis: str,
) -> str:
    """Return a matrix of cells, darker for a larger share of the row, each with its number."""
    left, top, size = 92.0, 84.0, 44.0
    parts = [
        f'<text class="soft" x="8" y="20">{escape(row_axis)}, down; {escape(column_axis)}, across</text>'
    ]
    for index, name in enumerate(columns):
        x, y = left + (index + 0.5) * size, top - 8
        parts.append(f'<text x="{x:.0f}" y="{y}" transform="rotate(-40 {x:.0f} {y})">{escape(name)}</text>')
    for index, (name, row) in enumerate(zip(rows, counts, strict=True)):
        y = top + index * size
        parts.append(f'<text x="{left - 8}" y="{y + 27}" text-anchor="end">{escape(name)}</text>')
        total = sum(row)
        for column, value in enumerate(row):
            share = value / total if total else 0.0
            x = left + column * size
            what = f"{row_axis} {name}, {column_axis} {columns[column]}: {value}"
            parts.append(
                f'<g><title>{escape(what)}</title><rect class="cell" x="{x}" y="{y}" width="{size - 2}" '
                f'height="{size - 2}" fill-opacity="{0.06 + 0.94 * share:.3f}"/>'
                f'<text class="{"on" if share > 0.5 else ""}" x="{x + size / 2 - 1:.0f}" y="{y + 26}" '
                f'text-anchor="middle">{value}</text></g>'
            )
    width = left + size * len(columns) + 56
    return _figure("".join(parts), title, desc, width=width, height=top + size * len(rows) + 12)


def lines(
    series: Sequence[Series],
    *,
    title: str,
    desc: str,
    x: str,
    y: str,
    names: Sequence[str] | None = None,
    height: float = 260.0,
    marks: bool = True,
) -> str:
    """Return curves, each with a dash of its own.

    Args:
        series: Curves; at a NaN a curve has a gap.
        title: Caption.
        desc: Description for those who cannot see the chart.
        x: Name of the horizontal axis.
        y: Name of the vertical axis.
        names: Names of the whole numbers 0, 1, ... on the horizontal axis; None for numbers.
        height: Height in SVG units, without the legend.
        marks: Whether points have marks.
    """
    points = np.concatenate([item.points for item in series])
    room = _BOTTOM if names is None else _BOTTOM + 34
    across = scale_of(points[:, 0].tolist(), _LEFT, _WIDTH - _RIGHT)
    up = scale_of(points[:, 1].tolist(), height - room, _TOP, from_zero=True)
    parts = [y_axis(up, _LEFT, _WIDTH - _RIGHT, y)]
    if names is None:
        parts.append(x_axis(across, height - room, x))
    else:
        parts.append(_named_axis(names, across, height - room, x))
    for item in series:
        path, pen = "", "M"
        for at, value in item.points:
            if np.isnan(value):
                pen = "M"
                continue
            path += f"{pen}{across(at):.1f} {up(value):.1f}"
            pen = "L"
            if marks:
                parts.append(_mark(item.style, across(at), up(value)))
        parts.append(_curve(item.style, path))
    legend, extra = _legend_rows([item.name for item in series], height, [item.style for item in series])
    return _figure("".join(parts) + legend, title, desc, height=height + extra)


def strip_plot(groups: Mapping[str, Sequence[float]], *, title: str, desc: str, x: str) -> str:
    """Return the values of each group as ticks in a row of its own, with a triangle at their median."""
    left, row = 92.0, 26.0
    height = _TOP - 14 + row * len(groups) + _BOTTOM
    across = scale_of([value for values in groups.values() for value in values], left, _SMALL - _RIGHT)
    parts = [x_axis(across, height - _BOTTOM, x)]
    for index, (name, values) in enumerate(groups.items()):
        y = _TOP - 10 + row * (index + 0.5)
        parts.append(f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<path class="rule" d="M{left} {y:.0f}H{_SMALL - _RIGHT}"/>')
        style = f"s{index % _NUM_COLOURS}"
        parts += [f'<path class="{style} curve" d="M{across(v):.1f} {y - 7:.0f}v14"/>' for v in values]
        if len(values):
            parts.append(
                f'<path class="mark {style}" d="M0 0L5 8H-5Z" '
                f'transform="translate({across(float(np.median(values))):.1f} {y + 4:.0f})"/>'
            )
    return _figure("".join(parts), title, desc, width=_SMALL, height=height)


def _mark(style: int, x: float, y: float, *, hollow: bool = False) -> str:
    """Return the mark of a series at a position."""
    kind = f"s{style % _NUM_COLOURS} {'hollow' if hollow else 'mark'}"
    shape = _SHAPES[style % len(_SHAPES)]
    return f'<path class="{kind}" d="{shape}" transform="translate({x:.1f} {y:.1f})"/>'


def _curve(style: int, path: str) -> str:
    """Return the line of a series."""
    dash = _DASHES[style % len(_DASHES)]
    return f'<path class="s{style % _NUM_COLOURS} curve" stroke-dasharray="{dash}" d="{path}"/>'


def _named_axis(names: Sequence[str], across: Scale, y: float, title: str) -> str:
    parts = [f'<path class="axis" d="M{across.start:.1f} {y:.1f}H{across.end:.1f}"/>']
    for index, name in enumerate(names):
        at = across(float(index))
        parts.append(f'<path class="axis" d="M{at:.1f} {y:.1f}v4"/>')
        parts.append(
            f'<text class="soft" x="{at:.1f}" y="{y + 16:.1f}" text-anchor="end" '
            f'transform="rotate(-25 {at:.1f} {y + 16:.1f})">{escape(name)}</text>'
        )
    parts.append(f'<text x="{across.end:.1f}" y="{y + 72:.1f}" text-anchor="end">{escape(title)}</text>')
    return "".join(parts)


def _legend_column(series: Sequence[Series], left: float) -> str:
    parts = []
    for index, item in enumerate(series):
        y = 24.0 + 24 * index
        parts.append(_mark(item.style, left, y, hollow=item.hollow))
        parts.append(f'<text x="{left + 14:.0f}" y="{y + 4}">{escape(item.name)}</text>')
    return "".join(parts)


def _legend_rows(
    names: Sequence[str], top: float, styles: Sequence[int] | None = None, across: int = 2
) -> tuple[str, float]:
    """Return a legend below a chart, and its height; none for a single series."""
    if len(names) < 2:
        return "", 0.0
    parts = []
    for index, name in enumerate(names):
        style = index if styles is None else styles[index]
        x = _LEFT + (index % across) * (_WIDTH - _LEFT) / across
        y = top + _LEGEND_ROW * (index // across) + 8
        parts.append(_curve(style, f"M{x:.0f} {y:.0f}h34"))
        parts.append(f'<text x="{x + 42:.0f}" y="{y + 4:.0f}">{escape(name)}</text>')
    return "".join(parts), _LEGEND_ROW * -(-len(names) // across) + 8


def _figure(inside: str, title: str, desc: str, *, width: float = _WIDTH, height: float = _HEIGHT) -> str:
    # The same chart has the same names, so that pages have equal bytes.
    content = html.plain(title + desc + inside)
    key = f"c{hashlib.sha256(content.encode()).hexdigest()[:10]}"
    return (
        f'<figure style="max-width:{width * _LARGEST:.0f}px">'
        f'<svg role="img" aria-labelledby="{key}-t {key}-d" viewBox="0 0 {width:.0f} {height:.0f}">'
        f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(desc)}</desc>{inside}</svg>'
        f"<figcaption>{escape(title)}</figcaption></figure>\n"
    )
