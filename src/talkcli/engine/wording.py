"""Words for counts and lists in messages."""

from __future__ import annotations

import re
from collections.abc import Sequence


def counted(number: int, thing: str, things: str | None = None) -> str:
    """Return `number` of `thing`, which is named in the singular: 1 clip, 2 clips.

    `things` is the plural where an s at the end does not make it: of words such as vertex, and where a verb
    follows ("clip is", "clips are").
    """
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def parameter(name: str, value: object) -> str:
    """Return a parameter with a value that somebody gave, who may have written backticks too: `name=value`.

    As in Markdown: around them stand more backticks than are inside.
    """
    longest = max(map(len, re.findall("`+", str(value))), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks}{name}={value}{ticks}"


def some(names: Sequence[str], shown: int = 3) -> str:
    """Return the first names, and how many there are beyond."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
