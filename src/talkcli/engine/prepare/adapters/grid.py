"""Films of the GRID corpus: the tracker measures the mouth, the performer makes brows and lids.

The file name codes the six words: command, colour, preposition, letter, digit, adverb. Source: Cooke et al.
(2006), J. Acoust. Soc. Am. 120(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from talkcli.engine.data.manifest import Split
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.adapters.filmed import FilmedFile
from talkcli.engine.prepare.adapters.spoken import aligner
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.rules.perform import perform_upper_face
from talkcli.engine.types import Emotion

LICENCE = "CC-BY-4.0"
# Origin of the motion: mouth and jaw are measured, as in other films; the face above them is not.
_ORIGIN = Origin(kind="fitted", by="MediaPipe; upper face performed by rules")
_NAME = re.compile(r"(?:.*_)?([blps][bgrw][abiw][a-z][z1-9][anps])")
_WORDS: tuple[Mapping[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {},
    {
        "z": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six",
        "7": "seven", "8": "eight", "9": "nine",
    },
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GridFilm:
    """One film and the words spoken in it."""

    film: FilmedFile
    text: str

    @property
    def inputs(self) -> tuple[Path, ...]:
        return self.film.inputs

    def make(self, source: Source) -> Recording:
        seen = self.film.make(source)
        assert seen.speech is not None
        assert seen.motion is not None
        alignment = aligner().align(seen.speech, self.text)
        motion = perform_upper_face(
            seen.motion, seen.speech, alignment, source.emotion, clip_id=source.id, eyes=False
        )
        return replace(seen, motion=motion, alignment=alignment, origin=_ORIGIN)


def grid_sources(root: Path, *, name: str = "grid", split: Split = "train") -> list[Source]:
    """Return every film in `root` with a name of GRID; none when there are none.

    Args:
        root: Folder of the films.
        name: Name of the speaker, with which ids begin.
        split: Split of all clips.
    """
    return [
        Source(
            id=f"{name}/{path.stem}",
            speaker=name,
            emotion=Emotion(label="neutral", level=0.65),
            split=split,
            licence=LICENCE,
            recipe=GridFilm(film=FilmedFile(video=path), text=text),
            text=text,
        )
        for path in sorted(root.glob("*.mpg"))
        if (text := words_of_name(path.stem)) is not None
    ]


def words_of_name(stem: str) -> str | None:
    """Return the six words that the name of a film of GRID codes, or None for another name.

    Args:
        stem: Name without its ending, such as `bbaf2n` or `s1_bbaf2n`.
    """
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    return " ".join(words.get(code, code) for words, code in zip(_WORDS, match[1], strict=True))
