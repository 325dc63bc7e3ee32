"""Recordings with a word TextGrid, as the Montreal Forced Aligner's examples have: cut at pauses,
performed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.data.adapters.spoken import SpokenFile
from talkcli.engine.data.source import Source
from talkcli.engine.errors import InputError
from talkcli.engine.types import Emotion

LICENCE = "MIT"
_PAUSE_S = 0.35
_MARGIN_S = 0.15
_SHORTEST_S = 1.0
_FIELD = re.compile(r'"([^"]*)"|(-?\d+(?:\.\d+)?)')


@dataclass(frozen=True)
class Word:
    """A word and its place; an empty text is a pause."""

    text: str
    start_s: float
    end_s: float


def mfa_sources(root: Path) -> list[Source]:
    """Stretches between pauses of every wav below `root` that has a TextGrid beside it."""
    sources = []
    for grid in sorted(root.glob("*.TextGrid")):
        sound = grid.with_suffix(".wav")
        if not sound.is_file():
            continue
        for index, words in enumerate(_stretches(read_words(grid))):
            # Remarks such as <noise> or a [broken-off word] are sounds that no dictionary explains.
            if words[-1].end_s - words[0].start_s < _SHORTEST_S or any(
                "[" in w.text or "<" in w.text for w in words
            ):
                continue
            sources.append(
                Source(
                    id=f"mfa/{grid.stem}-{index:02d}",
                    speaker="mfa",
                    emotion=Emotion(label="neutral", level=0.65),
                    split="train",
                    licence=LICENCE,
                    recipe=SpokenFile(
                        path=sound,
                        text=" ".join(word.text for word in words),
                        start_s=max(words[0].start_s - _MARGIN_S, 0.0),
                        end_s=words[-1].end_s + _MARGIN_S,
                    ),
                )
            )
    return sources


def read_words(grid: Path) -> list[Word]:
    """The first interval tier of a TextGrid, long or short form. Raises InputError when it has none."""
    # The long form numbers its items in brackets; without these both forms are the same list of fields.
    try:
        plain = re.sub(r"\[\d*\]", "", grid.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{grid} is not readable text ({error}).") from error
    fields = [text or number for text, number in _FIELD.findall(plain)]
    if "IntervalTier" not in fields:
        raise InputError(f"{grid} holds no interval tier.")
    # After the class come the tier's name, start, end and number of intervals; then start, end and text of
    # each.
    at = fields.index("IntervalTier") + 2
    try:
        count = int(fields[at + 2])
        if not 0 <= count <= len(fields):
            raise ValueError(f"{count} intervals")
        triples = [fields[at + 3 + 3 * index : at + 6 + 3 * index] for index in range(count)]
        return [Word(text, float(start), float(end)) for start, end, text in triples]
    except (ValueError, IndexError) as error:
        raise InputError(f"{grid} is not a TextGrid this reader knows ({error}).") from error


def _stretches(words: list[Word]) -> list[list[Word]]:
    stretches: list[list[Word]] = [[]]
    for word in words:
        if word.text.strip():
            stretches[-1].append(word)
        elif word.end_s - word.start_s >= _PAUSE_S:
            stretches.append([])
    return [stretch for stretch in stretches if stretch]
