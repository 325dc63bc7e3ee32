from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest

from talkcli.engine.pages import charts, html
from talkcli.engine.pages.axes import Scale, scale_of
from talkcli.engine.pages.charts import Series

_NAME = "<b>&\"'"


def _series(style: int = 0) -> Series:
    return Series(
        name=f"{_NAME}{style}", points=np.array([[0.0, 1.0], [1.0, 2.0], [2.0, np.nan]]), style=style
    )


_CHARTS: dict[str, Callable[[], str]] = {
    "scatter": lambda: charts.scatter(
        [Series(name=_NAME, points=np.array([[0.0, 0.0], [3.0, 1.0]]), style=12)], title=_NAME, desc=_NAME
    ),
    "histogram": lambda: charts.histogram(
        {_NAME: [0.2, 0.8], "other": [0.5, 0.5]}, [0.0, 1.0, 2.0], title=_NAME, desc=_NAME, x=_NAME, y=_NAME
    ),
    "heat map": lambda: charts.heat_map(
        [[1, 2], [0, 0]], [_NAME, "b"], [_NAME, "b"], title=_NAME, desc=_NAME, row_axis=_NAME, column_axis="c"
    ),
    "lines": lambda: charts.lines([_series(), _series(1)], title=_NAME, desc=_NAME, x=_NAME, y=_NAME),
    "named lines": lambda: charts.lines(
        [_series()], title=_NAME, desc=_NAME, x="x", y="y", names=[_NAME, "b", "c"]
    ),
    "strips": lambda: charts.strip_plot({_NAME: [1.0, 1.0], "b": []}, title=_NAME, desc=_NAME, x=_NAME),
}


@pytest.mark.parametrize("name", _CHARTS)
def test_a_chart_is_well_formed_and_described(name: str) -> None:
    figure = ET.fromstring(_CHARTS[name]())
    svg = figure.find("svg")
    assert svg is not None and svg.attrib["role"] == "img"
    named = {part.attrib["id"]: part.text for part in svg if "id" in part.attrib}
    assert list(named) == svg.attrib["aria-labelledby"].split()
    assert list(named.values()) == [_NAME, _NAME]
    assert "nan" not in _CHARTS[name]()


@pytest.mark.parametrize("name", _CHARTS)
def test_the_same_chart_has_the_same_bytes(name: str) -> None:
    assert _CHARTS[name]() == _CHARTS[name]()


def test_series_differ_without_their_colour() -> None:
    drawn = [
        ET.fromstring(charts.lines([_series(style)], title="t", desc="d", x="", y="")) for style in range(9)
    ]
    dashes = {
        part.attrib["stroke-dasharray"]
        for figure in drawn
        for part in figure.iter("path")
        if "stroke-dasharray" in part.attrib
    }
    shapes = {
        next(part.attrib["d"] for part in figure.iter("path") if "mark" in part.attrib["class"])
        for figure in drawn
    }
    assert (len(dashes), len(shapes)) == (9, 9)


def test_a_gap_in_a_line_is_no_line() -> None:
    points = np.array([[0, 1], [1, np.nan], [2, 1]], float)
    drawn = charts.lines([Series(name="a", points=points)], title="t", desc="d", x="", y="", marks=False)
    path = next(
        part.attrib["d"] for part in ET.fromstring(drawn).iter("path") if "stroke-dasharray" in part.attrib
    )
    assert (path.count("M"), path.count("L")) == (2, 0)


@pytest.mark.parametrize("values", [[0.0, 1.0], [5.0], [], [1e-9, 2e-9], [-3e6, 8e6], [float("nan"), 2.0]])
def test_ticks_are_round_and_inside(values: list[float]) -> None:
    scale = scale_of(values, 0.0, 100.0)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 8
    assert all(-1e-6 <= scale(tick) <= 100 + 1e-6 for tick in ticks)


def test_a_scale_maps_its_ends() -> None:
    assert [Scale(0.0, 10.0, 50.0, 20.0)(value) for value in (0.0, 5.0, 10.0)] == [50, 35, 20]


def test_a_page_holds_hostile_text_as_text() -> None:
    text = html.page(
        "</title><script>", html.table("<i>", ["<a>"], [["<img src=x>"]]), data={"x": "</script>"}
    )
    assert "<img" not in text and "<i>" not in text
    assert text.count("</script>") == 1
    assert html.Markup("<b>") in html.table("c", ["a"], [[html.Markup("<b>")]])


def test_a_table_says_what_its_cells_belong_to() -> None:
    region = ET.fromstring(html.table("two\nlines", ["a", "b"], [["x", "1\n2"]]).replace("<br>", "<br/>"))
    scopes = [cell.attrib["scope"] for cell in region.iter("th")]
    assert scopes == ["col", "col", "row"]
    assert region.attrib["aria-label"] == "two"
