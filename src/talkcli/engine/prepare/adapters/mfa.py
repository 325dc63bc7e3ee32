"""Recordings with a word TextGrid, as the Montreal Forced Aligner's examples have: cut at pauses,
performed.
"""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.audio.textgrid import Interval, read_tier
from talkcli.engine.prepare.adapters.spoken import SpokenFile
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Emotion

LICENCE = "MIT"
_PAUSE_S = 0.35
_MARGIN_S = 0.15
_SHORTEST_S = 1.0


def mfa_sources(root: Path) -> list[Source]:
    """Cut into stretches between pauses every wav below `root` that has a TextGrid beside it."""
    sources = []
    for grid in sorted(root.glob("*.TextGrid")):
        sound = grid.with_suffix(".wav")
        if not sound.is_file():
            continue
        for index, words in enumerate(_stretches(read_tier(grid))):
            text = " ".join(word.text for word in words)
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
                    text=text,
                    recipe=SpokenFile(
                        path=sound,
                        text=text,
                        start_s=max(words[0].start_s - _MARGIN_S, 0.0),
                        end_s=words[-1].end_s + _MARGIN_S,
                        eyes=False,
                    ),
                )
            )
    return sources


def _stretches(words: list[Interval]) -> list[list[Interval]]:
    stretches: list[list[Interval]] = [[]]
    for word in words:
        if word.text.strip():
            stretches[-1].append(word)
        elif word.end_s - word.start_s >= _PAUSE_S:
            stretches.append([])
    return [stretch for stretch in stretches if stretch]
