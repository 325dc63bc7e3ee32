"""Parser of JSON, also of malformed JSON: what it returns can be written as JSON again, and printed."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

# Default of the greatest number of characters or bytes in a document.
_LONGEST = 1 << 20
# Greatest depth of nested lists and objects.
_DEEPEST = 64


def parse_json(text: str | bytes, *, longest: int = _LONGEST) -> Any:
    """Return the document in `text`, of at most `longest` characters or bytes.

    Raises ValueError for anything that is not JSON, including NaN and infinities; for a number, whole or not,
    beyond the range of float64; for half a surrogate pair, which is not a character; and for a document with
    more than 64 levels.
    """
    if len(text) > longest:
        raise ValueError(f"the JSON has {len(text)} characters, more than {longest}")
    try:
        document = json.loads(text, parse_constant=_refuse, parse_float=_number, parse_int=_whole)
    except RecursionError as error:
        raise ValueError(f"the JSON is nested more than {_DEEPEST} deep") from error
    _check(document)
    return document


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number


def _whole(digits: str) -> int:
    # This check comes before `int`, whose error for thousands of digits is about Python's settings.
    _number(digits)
    return int(digits)


def _check(document: Any) -> None:
    """Raise ValueError for half a surrogate pair or too many levels; walk level by level, not recursively."""
    level = [document]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                # Raises UnicodeEncodeError, a ValueError.
                item.encode()
            elif isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = below
    raise ValueError(f"the JSON is nested more than {_DEEPEST} deep")
