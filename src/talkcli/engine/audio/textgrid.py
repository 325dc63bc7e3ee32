"""Reader and writer of Praat's TextGrids (Boersma & Weenink): words or phones in time.

The reader takes the long and the short form in any encoding; the writer writes the long form in UTF-8.
Silence is an empty text.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.audio.phone_names import phone_of
from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.text import read_text
from talkcli.engine.types import SILENCE, Alignment, Phone

# Name of the tier of phones.
TIER = "phones"
# Other names of this tier; the Montreal Forced Aligner puts the speaker before the name.
_PHONE_TIER = re.compile(r"(?:.* - )?(?:phones?|phonemes?|segments?)", re.IGNORECASE)
# Field: a text in quotes, or a number. The possessive `*+` does not backtrack in a text without an end, which
# would need memory.
_FIELD = re.compile(r'"((?:[^"]+|"")*+)"|(-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)')
# Text in quotes, or number of an item in brackets. Without these numbers, which only the long form has, both
# forms are the same list of fields.
_NUMBERED = re.compile(r'("(?:[^"]+|"")*+")|\[\d*\]')
# Largest number of tiers that a message names.
_SHOWN = 5


@dataclass(frozen=True)
class Interval:
    """Word or phone in time."""

    text: str
    """Text of the interval; empty for a pause."""
    start_s: float
    """Start of the interval in seconds."""
    end_s: float
    """End of the interval in seconds."""


def is_textgrid(text: str) -> bool:
    """Return whether `text` begins like a TextGrid that Praat saved as text."""
    return bool(re.match(r'\s*(?:File\s+type\s*=\s*)?"ooTextFile(?: short)?"', text))


def read_tier(path: Path, name: str | None = None) -> list[Interval]:
    """Return the intervals of a tier in the file's order.

    Args:
        path: TextGrid to read.
        name: Name of the tier; None for the first interval tier. `TIER` also finds the tier under the other
            names that aligners give it.

    Raises:
        InputError: for a file that is no text, for a TextGrid without the tier or with several tiers of
            phones under other names, and for one that is cut short or whose intervals are not in order.
    """
    text = _text_of(path)
    fields = [text or number for text, number in _FIELD.findall(_NUMBERED.sub(r"\1", text))]
    tiers = [at for at, field in enumerate(fields[:-1]) if field == "IntervalTier"]
    at = _chosen(path, {at: fields[at + 1] for at in tiers}, name)
    # The class is followed by the tier's name, start, end and number of intervals, then by start, end and
    # text of each interval.
    try:
        count = int(fields[at + 4])
        if not 0 <= count <= len(fields):
            raise ValueError(f"{count} intervals")
        triples = [fields[at + 5 + 3 * index : at + 8 + 3 * index] for index in range(count)]
        intervals = [
            Interval(text.replace('""', '"'), float(start), float(end)) for start, end, text in triples
        ]
    except (ValueError, IndexError) as error:
        raise InputError(f"{path} is not a TextGrid this reader knows ({error}).") from error
    before = -math.inf
    for interval in intervals:
        # Decimals in a file are rounded, so neighbours may overlap by 1 ms.
        if not (before - 1e-3 <= interval.start_s <= interval.end_s < math.inf):
            raise InputError(
                f"{path}: the interval {interval.text[:40]!r} from {interval.start_s:g} to "
                f"{interval.end_s:g} s is not in order."
            )
        before = interval.end_s
    return intervals


def write_alignment(path: Path, alignment: Alignment) -> None:
    """Write an alignment as a TextGrid with one tier of phones; the file appears whole or not at all.

    Raises:
        ValueError: for an `energy` alignment, which has no phones.
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
    """Return the phones of a TextGrid's tier `phones` as an alignment; `phone_of` reads its signs.

    The method of the alignment is always `aligned`, because a TextGrid does not state it.

    Raises:
        InputError: as for `read_tier`, and for a sign that is no phone.
    """
    phones = []
    for interval in read_tier(path, TIER):
        symbol = phone_of(interval.text)
        if symbol is None:
            raise InputError(
                f"{path}: {interval.text[:40]!r} at {interval.start_s:g} s is no ARPAbet phone.",
                hint="The tier holds ARPAbet (docs/formats.md), or the IPA of the Montreal Forced Aligner.",
            )
        phones.append(Phone(symbol, interval.start_s, interval.end_s))
    return Alignment(tuple(phones), "aligned")


def _text_of(path: Path) -> str:
    """Return the text of a file; InputError for a chronological TextGrid."""
    text = read_text(path)
    if text.lstrip().startswith('"Praat chronological'):
        raise InputError(
            f"{path} is a chronological TextGrid.", hint="Save it in Praat as a text file, short or long."
        )
    return text


def _chosen(path: Path, names: dict[int, str], name: str | None) -> int:
    """Return the place of the tier called `name`; `names` holds the tiers' names by their places."""
    found = [at for at, known in names.items() if name in (None, known)]
    if not found and name == TIER:
        found = [at for at, known in names.items() if _PHONE_TIER.fullmatch(known.strip())]
        if len(found) > 1:
            several = ", ".join(names[at] for at in found[:_SHOWN])
            raise InputError(f"{path} has several tiers of phones: {several}.", hint=f"Call one {TIER}.")
    if not found:
        called = f" called {name}" if name else ""
        there = ", ".join(known[:40] for known in list(names.values())[:_SHOWN])
        raise InputError(f"{path} holds no interval tier{called}{f', only {there}' if there else ''}.")
    return found[0]
