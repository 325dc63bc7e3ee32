"""Telephone prompts as Asterisk's core sounds hold them: professional speakers of five languages, short
phrases with text.

Phrases of a moment are joined, with pauses, to clips of a few seconds. `name: text` lines tell the words;
recordings are raw G.722 at 64 kbit/s, so that a file's size is its length.
"""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.prosody import STEP_HZ, loudness_db
from talkcli.engine.audio.spelling import Language
from talkcli.engine.data.manifest import Sex
from talkcli.engine.errors import InputError
from talkcli.engine.files import temporary_folder
from talkcli.engine.prepare.adapters.spoken import perform_text
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.rules.perform import generator
from talkcli.engine.types import SPEECH_RATE_HZ, Emotion, Silent, Speech

# Where Debian's packages asterisk-core-sounds-LANGUAGE-g722 put sounds, and those without -g722 texts.
SOUNDS = Path("/usr/share/asterisk/sounds")
_TEXTS = ("core-sounds-{0}.txt", "/usr/share/doc/asterisk-core-sounds-{0}/core-sounds-{0}.txt.gz")


@dataclass(frozen=True, kw_only=True)
class _Voice:
    """One speaker's recordings, in a folder of the sounds."""

    folder: str
    language: Language
    speaker: str
    sex: Sex
    licence: str = "CC-BY-SA-3.0"


_VOICES = (
    _Voice(folder="en_US_f_Allison", language="en", speaker="allison", sex="female"),
    _Voice(folder="es_MX_f_Allison", language="es", speaker="allison", sex="female"),
    _Voice(folder="fr_CA_f_June", language="fr", speaker="june", sex="female"),
    _Voice(folder="it_IT_m_Carlo", language="it", speaker="carlo", sex="male", licence="CC-BY-3.0"),
    _Voice(folder="ru_RU_f_IvrvoiceRU", language="ru", speaker="ivrvoice", sex="female", licence="CC-BY-3.0"),
)
_BYTES_A_SECOND = 8000
# Header of a wav with G.722 (format 0x28F): one channel at 16 kHz, blocks of one byte, four bits a sample, no
# extension. The size of the whole file is left at 0, which readers of streams ignore.
_HEADER = "<4sI4s4sIHHIIHHH4sI"
_FIELDS = (b"RIFF", 0, b"WAVE", b"fmt ", 18, 0x28F, 1, SPEECH_RATE_HZ, _BYTES_A_SECOND, 1, 4, 0, b"data")
_LONG_ENOUGH_S = 3.5
_LONGEST_S = 16.0
_PAUSE_S = (0.2, 0.5)
_AROUND_S = (0.15, 0.4)
_QUIET_DB = 40.0
# Digits are read as they stand; what else is not plain words is not said, or not so.
_DIGITS = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
    "8": "eight", "9": "nine",
}  # fmt: skip
_NO_WORDS = re.compile(r"[\[\]<>()*#\d\"]|[A-Z]{2,}|\b[B-HJ-Z]\b|(?<!')\b[b-hj-z]\b")


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Recordings one after the other, `pauses_s` of silence before each and behind the last."""

    paths: tuple[Path, ...]
    texts: tuple[str, ...]
    pauses_s: tuple[float, ...]
    language: Language

    @property
    def inputs(self) -> tuple[Path, ...]:
        return self.paths

    def make(self, source: Source) -> Recording:
        parts = []
        for path, pause_s in zip(self.paths, self.pauses_s, strict=False):
            parts += [np.zeros(round(pause_s * SPEECH_RATE_HZ), np.float32), _trimmed(path)]
        parts.append(np.zeros(round(self.pauses_s[-1] * SPEECH_RATE_HZ), np.float32))
        speech = Speech(samples=np.concatenate(parts))
        return perform_text(speech, " ".join(self.texts), source, language=self.language, eyes=False)


def prompt_sources(sounds: Path, seed: int = 0) -> list[Source]:
    """Return clips of the recordings in the folders of `sounds`; none of a speaker who is not there, or
    without a list of words, which is core-sounds-LANGUAGE.txt beside the recordings or among Debian's
    documents. Raises InputError when it cannot be read.
    """
    return [source for voice in _VOICES for source in _sources(sounds / voice.folder, voice, seed)]


def _sources(folder: Path, voice: _Voice, seed: int) -> Iterator[Source]:
    names = [name.format(voice.language) for name in _TEXTS]
    texts = next((path for name in names if (path := folder / name).is_file()), None)
    if texts is None or not folder.is_dir():
        return
    for index, group in enumerate(_groups(_spoken(folder, texts, voice.language))):
        rng = generator("prompts", f"{voice.language}:{group[0][0].stem}", seed)
        pauses = [*rng.uniform(*_PAUSE_S, len(group) - 1)]
        around = rng.uniform(*_AROUND_S, 2)
        said = tuple(text for _, text in group)
        yield Source(
            id=f"prompts/{voice.language}-{index:03d}",
            speaker=voice.speaker,
            emotion=Emotion(label="neutral", level=0.65),
            split="train",
            licence=voice.licence,
            sex=voice.sex,
            text=" ".join(said),
            recipe=Joined(
                paths=tuple(path for path, _ in group),
                texts=said,
                pauses_s=tuple(round(float(pause), 2) for pause in (around[0], *pauses, around[1])),
                language=voice.language,
            ),
        )


def _spoken(folder: Path, texts: Path, language: Language) -> Iterator[tuple[Path, str]]:
    """Yield recordings with their words, in order of the list."""
    try:
        content = texts.read_bytes()
        lines = (gzip.decompress(content) if texts.suffix == ".gz" else content).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{texts} is not a readable list of words ({error}).") from error
    for line in lines.splitlines():
        name, _, text = line.partition(":")
        path = folder / f"{name.strip()}.g722"
        if language == "en":
            text = re.sub(r"\b\d\b", lambda match: _DIGITS[match[0]], text)
        text = text.strip().strip(" .…") + "."
        if name.startswith(";") or ".." in name or not _is_said(text):
            continue
        if path.is_file() and 0 < path.stat().st_size <= _LONGEST_S * _BYTES_A_SECOND:
            yield path, text


def _is_said(text: str) -> bool:
    """Return whether the words are all there: no remarks, digits, letters by name, or letters that were
    lost.
    """
    lost = re.search(r"\w[?\N{REPLACEMENT CHARACTER}]+\w|\N{REPLACEMENT CHARACTER}", text)
    return not (lost or _NO_WORDS.search(text)) and any(letter.islower() for letter in text)


def _groups(spoken: Iterator[tuple[Path, str]]) -> Iterator[list[tuple[Path, str]]]:
    """Neighbours until together they are long enough."""
    group: list[tuple[Path, str]] = []
    length_s = 0.0
    for path, text in spoken:
        seconds = path.stat().st_size / _BYTES_A_SECOND
        if group and seconds >= _LONG_ENOUGH_S:
            yield [(path, text)]
            continue
        group.append((path, text))
        length_s += seconds
        if length_s >= _LONG_ENOUGH_S:
            yield group
            group, length_s = [], 0.0
    if group:
        yield group


def _trimmed(path: Path) -> np.ndarray:
    """Return the recording without the silence at its ends."""
    with temporary_folder() as folder:
        named = folder / f"{path.stem}.wav"
        content = path.read_bytes()
        # A raw stream has nothing to know it by, and talk guesses no formats: the header of a wav names it.
        named.write_bytes(struct.pack(_HEADER, *_FIELDS, len(content)) + content)
        samples = read_speech(named, Silent()).samples
    level = loudness_db(Speech(samples=samples))
    loud = np.flatnonzero(level > level.max() - _QUIET_DB)
    return samples[loud[0] * SPEECH_RATE_HZ // STEP_HZ : (loud[-1] + 1) * SPEECH_RATE_HZ // STEP_HZ]
