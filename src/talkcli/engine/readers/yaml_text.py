"""Parser of hand-written YAML, also of malformed YAML: plain values in lists and mappings, and no more.

The parser resolves values as YAML 1.2 does, with the yes, no, on and off of YAML 1.1; dates stay text. It
refuses anchors, aliases, merges and tags: a few lines of them can stand for gigabytes, or for objects.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

# Default of the greatest number of characters in a document.
_LONGEST = 100_000
# Greatest depth of nested lists and mappings.
_DEEPEST = 32
# Greatest number of characters of a whole number. No setting needs more, and Python's parsing time grows with
# the square of the number of digits.
_MOST_DIGITS = 18
# Forms of YAML's plain scalars.
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOLS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_INT = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def parse_yaml(text: str, *, longest: int = _LONGEST) -> Any:
    """Return the one document in `text`, of at most `longest` characters.

    The document consists of dictionaries with text as keys, lists, text, bools, whole numbers of up to 18
    digits, finite floats and None. An empty text returns None.

    Raises ValueError, whose message is one sentence, for anything else: invalid YAML, duplicate keys, more
    than 32 levels, anchors, tags, merges, or half a surrogate pair.
    """
    if len(text) > longest:
        raise ValueError(f"the YAML has {len(text)} characters, more than {longest}")
    try:
        text.encode()
        return _built(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise ValueError(_at(error.problem_mark, error.problem or "this is not YAML")) from error
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except UnicodeEncodeError as error:
        raise ValueError("half a surrogate pair is no character") from error


@dataclass
class _Open:
    """List or mapping that the parser is filling."""

    inside: list[Any] | dict[str, Any]
    """Items of the list or mapping so far."""
    key: str | None = None
    """Key of a mapping whose value comes next; None when a key comes next."""


def _built(events: Iterable[Any]) -> Any:
    """Return the document that `events` describe, without recursion."""
    document: list[Any] = []
    around = [_Open(document)]
    for event in events:
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise ValueError(_at(mark, f"anchors and aliases ({event.anchor}) are not read"))
        if getattr(event, "tag", None) is not None:
            raise ValueError(_at(mark, f"tags ({event.tag}) are not read"))
        if isinstance(event, yaml.CollectionEndEvent):
            around.pop()
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(around) > _DEEPEST:
                raise ValueError(_at(mark, f"it is nested more than {_DEEPEST} deep"))
            inside: list[Any] | dict[str, Any] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            _place(around[-1], inside, mark)
            around.append(_Open(inside))
        elif isinstance(event, yaml.ScalarEvent):
            event.value.encode()
            awaits_key = isinstance(around[-1].inside, dict) and around[-1].key is None
            if awaits_key and event.implicit[0] and event.value == "<<":
                raise ValueError(_at(mark, "merges (<<) are not read"))
            plain = event.implicit[0] and not awaits_key
            _place(around[-1], _plain(event.value, mark) if plain else event.value, mark)
        elif isinstance(event, yaml.DocumentStartEvent) and document:
            raise ValueError(_at(mark, "a second document begins"))
    return document[0] if document else None


def _place(where: _Open, value: Any, mark: Any) -> None:
    if isinstance(where.inside, list):
        where.inside.append(value)
    elif where.key is not None:
        where.inside[where.key], where.key = value, None
    elif not isinstance(value, str):
        raise ValueError(_at(mark, "a list or mapping stands where a key belongs"))
    elif value in where.inside:
        raise ValueError(_at(mark, f"the key {value[:50]} stands there twice"))
    else:
        where.key = value


def _plain(text: str, mark: Any) -> str | bool | int | float | None:
    """Return the value of the unquoted scalar `text`."""
    if _NULL.fullmatch(text):
        return None
    if text in (text.lower(), text.title(), text.upper()) and text.lower() in _BOOLS:
        return _BOOLS[text.lower()]
    if _INT.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            raise ValueError(_at(mark, f"{text[:_MOST_DIGITS]}... is too large a number"))
        return int(text)
    if _NO_NUMBER.fullmatch(text):
        raise ValueError(_at(mark, f"{text} is no finite number"))
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(_at(mark, f"{text[:_MOST_DIGITS]} is too large a number"))
        return number
    return text


def _at(mark: Any, problem: str) -> str:
    return problem if mark is None else f"{problem}, line {mark.line + 1}, column {mark.column + 1}"
