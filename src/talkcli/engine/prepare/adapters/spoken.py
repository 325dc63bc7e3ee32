"""Speech without motion, with a transcript or without: the performer supplies the motion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from talkcli.engine.audio.align import Aligner, by_energy
from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.spelling import Language
from talkcli.engine.data.clips import fit_length
from talkcli.engine.errors import InputError
from talkcli.engine.origin import PERFORMED
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.rules.perform import perform
from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Silent, Speech


@dataclass(frozen=True, kw_only=True)
class SpokenFile:
    """A sound file, or the part of it from `start_s` to `end_s`, in which `text` is said.

    Where its words are not found, the clip cannot be made; or, without `words_needed`, the mouth follows
    the loudness alone. `eyes` adds blinks and gaze.
    """

    path: Path
    text: str
    start_s: float = 0.0
    end_s: float | None = None
    words_needed: bool = True
    eyes: bool = True

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.path,)

    def make(self, source: Source) -> Recording:
        whole = read_speech(self.path, Silent())
        end = None if self.end_s is None else round(self.end_s * SPEECH_RATE_HZ)
        speech = Speech(samples=whole.samples[round(self.start_s * SPEECH_RATE_HZ) : end])
        return perform_text(speech, self.text, source, words_needed=self.words_needed, eyes=self.eyes)


@dataclass(frozen=True, kw_only=True)
class UntranscribedFile:
    """A sound file in which nobody knows the words: the mouth follows the loudness, and the clip has no
    phones.
    """

    path: Path

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.path,)

    def make(self, source: Source) -> Recording:
        speech = _whole_frames(read_speech(self.path, Silent()))
        motion = perform(
            speech, by_energy(speech), source.emotion, speaker=source.speaker, clip_id=source.id, eyes=False
        )
        report = {"words": "There is no transcript; the mouth follows the loudness."}
        return Recording(speech=speech, motion=motion, origin=PERFORMED, report=report)


def perform_text(
    speech: Speech,
    text: str,
    source: Source,
    *,
    language: Language = "en",
    words_needed: bool = True,
    eyes: bool = True,
) -> Recording:
    """Align and perform, with blinks and gaze unless without `eyes`; the sound goes on to a whole frame.

    Raises InputError when the text cannot be found in the sound, which a corpus of phones needs; without
    `words_needed` the report says so.
    """
    speech = _whole_frames(speech)
    alignment = aligner().align(speech, text, language)
    report = None
    if alignment.method == "energy":
        if words_needed:
            raise InputError("The words of the transcript were not found in the sound.")
        report = {"words": "The words of the transcript were not found; the mouth follows the loudness."}
    motion = perform(speech, alignment, source.emotion, speaker=source.speaker, clip_id=source.id, eyes=eyes)
    return Recording(speech=speech, motion=motion, alignment=alignment, origin=PERFORMED, report=report)


def _whole_frames(speech: Speech) -> Speech:
    """Return `speech` with silence up to the end of its last frame."""
    num_frames = -(-len(speech.samples) // SAMPLES_PER_FRAME)
    return Speech(samples=fit_length(speech.samples, num_frames * SAMPLES_PER_FRAME))


@cache
def aligner() -> Aligner:
    """Return the aligner of this process."""
    # Loading the acoustic model takes half a second: once per process.
    return Aligner()
