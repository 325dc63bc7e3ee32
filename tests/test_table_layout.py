"""Tables at any width: names stay whole, numbers stay beside their names, no line is too long."""

from __future__ import annotations

import pytest

from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.table_layout import lay_out

_ROWS = [(name, "12.345 mm vs performed", "0.123", info.meaning) for name, info in METRICS.items()]
_LONGEST = max(map(len, METRICS))
_HEADER = ("metric", "value", "sd", "what it is")
WIDTHS = (40, 60, 80, 120, 200, None)


@pytest.mark.parametrize("width", WIDTHS)
def test_names_and_values_are_whole(width: int | None) -> None:
    lines = lay_out(_HEADER, _ROWS, width).splitlines()
    assert width is None or max(map(len, lines)) <= width
    for name in METRICS:
        # As the first word of a line, where it can be searched for and copied.
        assert sum(line.split()[:1] == [name] for line in lines) == 1, name
    text = " ".join(" ".join(lines).split())
    assert text.count("12.345 mm vs performed") == len(_ROWS)
    if width is not None and width < 200:
        for info in METRICS.values():
            assert " ".join(info.meaning.split()) in text


@pytest.mark.parametrize("width", (80, 200, None))
def test_numbers_stand_in_their_names_line(width: int | None) -> None:
    lines = lay_out(_HEADER, _ROWS, width).splitlines()
    for name in METRICS:
        assert f"{name} " + " " * (_LONGEST - len(name)) + " 12.345 mm vs performed  0.123" in "\n".join(
            lines
        )


def test_without_a_terminal_a_row_is_a_line() -> None:
    assert len(lay_out(_HEADER, _ROWS, None).splitlines()) == len(_ROWS) + 2


@pytest.mark.parametrize("width", (40, 80, 200))
def test_many_short_columns_become_several_tables(width: int) -> None:
    header = ("clip", *EMOTION_MEASURES)
    rows = [(f"set/clip-{index}", *["0.123"] * len(EMOTION_MEASURES)) for index in range(3)]
    text = lay_out(header, rows, width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("0.123") == 3 * len(EMOTION_MEASURES)
    for name in EMOTION_MEASURES:
        assert text.split().count(name) == 1
    tables = text.split("\n\n")
    assert all("set/clip-2" in table for table in tables)
    assert (len(tables) > 1) == (width < 400)


def test_a_name_longer_than_the_line_is_not_cut() -> None:
    name = "set/" + "long" * 20
    for rows in ([(name, "1.0")], [(name, "1.0", "words " * 10)]):
        assert name in lay_out(["clip", "value", "meaning"][: len(rows[0])], rows, 40).split()


@pytest.mark.parametrize("width", WIDTHS)
def test_odd_cells(width: int | None) -> None:
    """Several lines, no text, wide letters, markup of other tools, one column, no rows."""
    rows = [("名前", "", "a\nb"), ("[bold]x[/bold]", "|", "/one/" + "path" * 30)]
    text = lay_out(("", "", ""), rows, width)
    for word in ("名前", "[bold]x[/bold]", "a", "b", "|"):
        assert word in text.split()
    assert "".join(text.split()).count("path" * 30) == 1
    assert lay_out(("only",), [("x",)], width).split() == ["only", "----", "x"]
    assert lay_out(("a", "b"), [], width).split()[:2] == ["a", "b"]
