"""Praat's TextGrids (Boersma & Weenink): words or phones in time, as aligners write them and as we do.

Long and short form are read, the long one is written, UTF-8. Silence is an empty text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.audio.phones import PHONES
from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.types import SILENCE, Alignment, Phone

TIER = "phones"
# What aligners write between words.
_SILENCES = {"", "SIL", "SP"}
_FIELD = re.compile(r'"((?:[^"]|"")*)"|(-?\d+(?:\.\d+)?(?:e-?\d+)?)')


@dataclass(frozen=True)
class Interval:
    """A word or phone and its place; an empty text is a pause."""

    text: str
    start_s: float
    end_s: float


def read_tier(path: Path, name: str | None = None) -> list[Interval]:
    """The interval tier called `name`, the first one when None, in the file's order.

    Raises InputError for what is no text, for a TextGrid without that tier and for one that is cut short.
    """
    # The long form numbers its items in brackets; without these both forms are the same list of fields.
    try:
        plain = re.sub(r"\[\d*\]", "", path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable text ({error}).") from error
    fields = [text or number for text, number in _FIELD.findall(plain)]
    tiers = [at for at, field in enumerate(fields[:-1]) if field == "IntervalTier"]
    chosen = [at for at in tiers if name in (None, fields[at + 1])]
    if not chosen:
        called = f" called {name}" if name else ""
        raise InputError(f"{path} holds no interval tier{called}.")
    # After the class come the tier's name, start, end and number of intervals; then start, end and text of
    # each.
    at = chosen[0] + 2
    try:
        count = int(fields[at + 2])
        if not 0 <= count <= len(fields):
            raise ValueError(f"{count} intervals")
        triples = [fields[at + 3 + 3 * index : at + 6 + 3 * index] for index in range(count)]
        return [Interval(text.replace('""', '"'), float(start), float(end)) for start, end, text in triples]
    except (ValueError, IndexError) as error:
        raise InputError(f"{path} is not a TextGrid this reader knows ({error}).") from error


def write_alignment(path: Path, alignment: Alignment) -> None:
    """One tier of phones; the file appears whole or not at all. An `energy` alignment has no phones to write
    and is a ValueError.
    """
    if alignment.method == "energy" or not alignment.phones:
        raise ValueError("an alignment without phones makes no TextGrid")
    end = f"{alignment.phones[-1].end_s:.6f}"
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end}"]
    lines += ["tiers? <exists>", "size = 1", "item []:", "    item [1]:", '        class = "IntervalTier"']
    lines += [f'        name = "{TIER}"', "        xmin = 0", f"        xmax = {end}"]
    lines.append(f"        intervals: size = {len(alignment.phones)}")
    for number, phone in enumerate(alignment.phones, start=1):
        text = "" if phone.symbol == SILENCE else phone.symbol
        lines.append(f"        intervals [{number}]:")
        lines += [f"            xmin = {phone.start_s:.6f}", f"            xmax = {phone.end_s:.6f}"]
        lines.append(f'            text = "{text}"')
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_alignment(path: Path) -> Alignment:
    """The phones of a TextGrid's tier `phones`, without stress; which rung found them is not kept.

    Raises InputError as `read_tier` does, and for symbols that are no ARPAbet.
    """
    phones = []
    for interval in read_tier(path, TIER):
        symbol = interval.text.strip().upper()
        symbol = SILENCE if symbol in _SILENCES else symbol.rstrip("012")
        if symbol != SILENCE and symbol not in PHONES:
            raise InputError(f"{path}: {interval.text!r} at {interval.start_s:g} s is no ARPAbet phone.")
        phones.append(Phone(symbol, interval.start_s, interval.end_s))
    return Alignment(tuple(phones), "aligned")
