"""The frame of a self-contained page, and its parts: tables, sections, details that open, data in the page.

Everything that comes from outside is escaped here, and what UTF-8 cannot hold is spelt out. The page asks the
browser to load nothing (Content-Security-Policy), so that it also works from a disk and years later. Its
style is `page.css`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Any

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; media-src data: {media}; base-uri 'none'; form-action 'none'"
)


# Length of a cell in characters that stays on one line.
_LONGEST_SHORT = 28


class Markup(str):
    """Text that is HTML already; other text is escaped."""


def page(
    title: str,
    body: str,
    *,
    script: str | None = None,
    style: str | None = None,
    library: str | None = None,
    data: Any = None,
    media_beside: bool = False,
) -> str:
    """Return a whole HTML document.

    Args:
        title: Title of the window, as plain text.
        body: Content as HTML.
        script: Name of the packaged script that runs at the end of the page; None for none.
        style: Name of a packaged style sheet beside the common one; None for none.
        library: Program text that the script needs; None for none.
        data: Value that the script finds as JSON in the element `data`; None for none.
        media_beside: Whether videos lie in files beside the page.
    """
    policy = _POLICY.format(media="'self' file:" if media_beside else "").replace(" ;", ";")
    styles = _packaged("page.css") + ("" if style is None else _packaged(style))
    scripts = "" if data is None else f'<script type="application/json" id="data">{_inside(data)}</script>'
    scripts += "" if library is None else f"<script>{_program(library)}</script>"
    scripts += "" if script is None else f"<script>{_packaged(script)}</script>"
    return plain(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{styles}</style>\n</head>\n"
        f"<body>\n{body}\n{scripts}\n</body>\n</html>\n"
    )


def plain(text: str) -> str:
    """Return text that UTF-8 holds: Python keeps other bytes of file names as lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first cell of each row is the row's header. Line breaks in cells stay, and so does
    `Markup`.
    """
    head = "".join(f'<th scope="col">{_cell(name)}</th>' for name in header)
    body = "".join(
        f'<tr><th scope="row">{_cell(row[0])}</th>'
        + "".join(f"<td{_kept_whole(cell)}>{_cell(cell)}</td>" for cell in row[1:])
        + "</tr>\n"
        for row in rows
    )
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(_first_line(caption))}"><table>'
        f"<caption>{_cell(caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>"
        "</table></div>\n"
    )


def section(name: str, title: str, *parts: str) -> str:
    """Return a section with a heading; links reach it by `name`."""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{escape(title)}</h2>\n'
        f"{''.join(parts)}</section>\n"
    )


def details(summary: str, *parts: str) -> str:
    """Return parts that a reader opens."""
    return f"<details><summary>{escape(summary)}</summary>\n{''.join(parts)}</details>\n"


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{escape(text)}</p>\n"


def link(place: str, text: str) -> Markup:
    """Return a link to the part of the page that is called `place`."""
    return Markup(f'<a href="#{escape(place)}">{escape(text)}</a>')


def data_uri(content: bytes, kind: str) -> str:
    """Return an address that holds `content` itself, of the media type `kind`."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _cell(text: str) -> str:
    if isinstance(text, Markup):
        return text
    return escape(text).replace("\n", "<br>")


def _kept_whole(text: str) -> str:
    return "" if len(text) > _LONGEST_SHORT else ' class="whole"'


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _inside(data: Any) -> str:
    """Return JSON that cannot end the script element that it stands in."""
    return json.dumps(data, allow_nan=False).replace("<", "\\u003c")


def _program(text: str) -> str:
    """Return a program that cannot end the script element that it stands in: in JavaScript, that can only be
    inside a string, a pattern or a comment.
    """
    return text.replace("</script", "<\\/script")


def _packaged(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
