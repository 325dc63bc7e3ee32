"""nEMO: acted emotional speech in Polish, the same sentences in each emotion; motion is performed.

Source: Christop (2024), nEMO: Dataset of Emotional Speech in Polish, LREC-COLING, arXiv 2404.06292. Files are
SPEAKER_EMOTION_SENTENCE.wav (or another format) anywhere below the root; `data.tsv` tells their words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.manifest import Sex, Split
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.spoken import perform_text
from talkcli.engine.prepare.labels import EMOTION_OF_NEMO, UNTOLD_LEVEL
from talkcli.engine.prepare.names import Unusable, read_names
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.readers.text import csv_rows
from talkcli.engine.types import Emotion, Reporter, Silent
from talkcli.engine.wording import counted

LICENCE = "CC-BY-NC-SA-4.0"
_SUFFIXES = (".wav", ".flac", ".opus", ".ogg", ".mp3")
_FORM = re.compile(r"([A-Z]{2}\d)_([a-z]+)_(\d+)")
_TABLE = "data.tsv"
_COLUMNS = ("file_id", "raw_text", "speaker_id", "gender")
_SEXES: dict[str, Sex] = {"female": "female", "male": "male"}
# The set has no official split. Ours keeps a woman and a man for tests; we use no other actor of the set to
# choose settings, since RAVDESS serves for that.
TEST_SPEAKERS = ("KD0", "KS0")


@dataclass(frozen=True, kw_only=True)
class PolishFile:
    """The recipe of a sound in which a Polish `text` is said. Without its words the mouth follows the
    loudness, unless `words_needed`.
    """

    path: Path
    text: str
    words_needed: bool

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.path,)

    def make(self, source: Source) -> Recording:
        speech = read_speech(self.path, Silent())
        return perform_text(
            speech, self.text, source, language="pl", words_needed=self.words_needed, eyes=False
        )


def nemo_sources(root: Path, reporter: Reporter, *, words_needed: bool = False) -> list[Source]:
    """Return every clip below `root`. What cannot be used becomes a source that says why.

    Raises InputError when no file has a name of nEMO, and when `data.tsv` is not there or does not read.
    """
    named, broken = read_names(
        root,
        _SUFFIXES,
        _parse_name,
        reporter,
        data_set="nEMO",
        hint="Expected: WR0_surprised_64.wav, and data.tsv with its words.",
    )
    told = _read_table(root / _TABLE)
    sources = [_source(path, emotion, told.get(path.stem), words_needed) for emotion, path in named]
    sources += [_source(path, None, None, words_needed, reason) for path, reason in broken.items()]
    speakers = {source.speaker for source in sources}
    reporter.note(
        f"Found: {counted(len(sources), 'clip')} of nEMO by {counted(len(speakers), 'speaker')} (the set has "
        "4,481 by 9)."
    )
    return sorted(sources, key=lambda source: source.id)


def _parse_name(stem: str) -> str | None:
    """Return the emotion that a name states, None for a name of another form."""
    match = _FORM.fullmatch(stem)
    if match is None:
        return None
    if match[2] not in EMOTION_OF_NEMO:
        raise InputError(f"The name says emotion {match[2]}, the set has {', '.join(EMOTION_OF_NEMO)}.")
    return match[2]


def _read_table(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of the set's table by the stem of their sound."""
    rows = csv_rows(path)
    _, header = next(rows, (0, []))
    if lacking := [column for column in _COLUMNS if column not in header]:
        raise InputError(f"{path} has no column {' and no column '.join(lacking)}.")
    named = (dict.fromkeys(_COLUMNS, "") | dict(zip(header, cells, strict=False)) for _, cells in rows)
    return {Path(row["file_id"]).stem: row for row in named}


def _source(
    path: Path, emotion: str | None, row: dict[str, str] | None, words_needed: bool, reason: str = ""
) -> Source:
    speaker = path.stem.split("_")[0]
    text = row["raw_text"].strip() if row else ""
    if not reason and not text:
        reason = f"{_TABLE} has no words for it."
    split: Split = "test" if speaker in TEST_SPEAKERS else "train"
    return Source(
        id=f"nemo/{path.stem}",
        speaker=f"nemo-{speaker}",
        emotion=Emotion(label=EMOTION_OF_NEMO[emotion], level=UNTOLD_LEVEL) if emotion else Emotion(),
        split=split,
        licence=LICENCE,
        recipe=Unusable(reason=reason)
        if reason
        else PolishFile(path=path, text=text, words_needed=words_needed),
        sex=_SEXES.get(row["gender"]) if row else None,
        text=text or None,
    )
