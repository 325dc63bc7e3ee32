"""Layout of tables as lines of text, at any width; names stay whole, so that they can be copied.

Short cells are in columns. Prose folds in a column of its own if there is room, and else is below its row.
When even the short columns do not fit, they become several tables, or each row becomes several lines.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len

# Text between columns.
_GAP = "  "
# Largest width of a cell, in characters, in a column that is not prose. The first column is never prose: it
# holds names.
_LONGEST_SHORT = 28
# Smallest width of a column of prose, in characters; folded into less, prose is hard to read.
_LEAST_PROSE = 30
# Indent of prose below its row.
_INDENT = "    "

Cells = Sequence[str]


def lay_out(header: Cells, rows: Sequence[Cells], width: int | None) -> str:
    """Return the table as lines of text.

    Args:
        header: Names of the columns.
        rows: Cells of each row.
        width: Largest length of a line in characters, which only longer words and names exceed. None makes
            one line per row, unless a cell has several lines.
    """
    columns = list(zip(header, *rows, strict=True))
    sizes = [max(_width(cell) for cell in column) for column in columns]
    prose = [index for index, size in enumerate(sizes) if index and size > _LONGEST_SHORT]
    short = [index for index in range(len(columns)) if index not in prose]
    if width is None or _total(sizes) <= width:
        return _in_columns(header, rows, sizes)
    room = width - _total([sizes[index] for index in short])
    if prose and room // len(prose) >= _LEAST_PROSE + len(_GAP):
        for index in prose:
            sizes[index] = min(sizes[index], room // len(prose) - len(_GAP))
        return _in_columns(header, rows, sizes)
    if not prose:
        return _in_parts(header, rows, sizes, width)
    if room >= 0:
        return _with_prose_below(header, rows, sizes, prose, width)
    return _one_below_the_other(header, rows, width)


def _in_columns(header: Cells, rows: Sequence[Cells], sizes: Sequence[int]) -> str:
    lines = _head(header, sizes)
    for row in rows:
        lines += _line(row, sizes)
    return "\n".join(lines) + "\n"


def _head(header: Cells, sizes: Sequence[int]) -> list[str]:
    return [*_line(header, sizes), _GAP.join("-" * size for size in sizes)] if any(header) else []


def _line(row: Cells, sizes: Sequence[int]) -> list[str]:
    """Return a row as lines, as many as its longest cell has."""
    cells = [_folded(cell, size) for cell, size in zip(row, sizes, strict=True)]
    lines = []
    for number in range(max(len(cell) for cell in cells)):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        padded = [part + " " * (size - cell_len(part)) for part, size in zip(parts, sizes, strict=True)]
        lines.append(_GAP.join(padded).rstrip())
    return lines


def _in_parts(header: Cells, rows: Sequence[Cells], sizes: Sequence[int], width: int) -> str:
    """Return several tables, each with the first column and as many other columns as fit."""
    parts: list[list[int]] = [[0]]
    for index in range(1, len(sizes)):
        wanted = [*parts[-1], index]
        if len(wanted) > 2 and _total([sizes[column] for column in wanted]) > width:
            wanted = [0, index]
            parts.append(wanted)
        parts[-1] = wanted
    return "\n".join(
        _in_columns(_of(header, part), [_of(row, part) for row in rows], [sizes[index] for index in part])
        for part in parts
    )


def _with_prose_below(
    header: Cells, rows: Sequence[Cells], sizes: Sequence[int], prose: Sequence[int], width: int
) -> str:
    short = [index for index in range(len(sizes)) if index not in prose]
    kept = [sizes[index] for index in short]
    lines = _head(_of(header, short), kept)
    for row in rows:
        lines += _line(_of(row, short), kept)
        for text in _of(row, prose):
            lines += _indented(text, width)
    return "\n".join(lines) + "\n"


def _one_below_the_other(header: Cells, rows: Sequence[Cells], width: int) -> str:
    lines: list[str] = []
    for row in rows:
        lines.append(row[0])
        for name, text in zip(header[1:], row[1:], strict=True):
            if text:
                lines += _indented(f"{name}: {text}" if len(name) <= _LONGEST_SHORT else text, width)
    return "\n".join(lines) + "\n"


def _indented(text: str, width: int) -> list[str]:
    return [_INDENT + line for line in _folded(text, max(width - len(_INDENT), 1)) if line]


def _folded(text: str, size: int) -> list[str]:
    lines: list[str] = []
    for line in text.split("\n"):
        # `wrap` breaks only words that are longer than a line, such as paths.
        fits = cell_len(line) <= size
        lines += [line] if fits else textwrap.wrap(line, max(size, 1), break_on_hyphens=False)
    return lines


def _width(cell: str) -> int:
    return max(cell_len(line) for line in cell.split("\n"))


def _total(sizes: Sequence[int]) -> int:
    return sum(sizes) + len(_GAP) * (len(sizes) - 1)


def _of(row: Cells, indices: Sequence[int]) -> list[str]:
    return [row[index] for index in indices]
