"""A tiny synthetic corpus for tests and debug recipes: vowel-like sounds with matching motion.

Sound is a pulse train through two formants (Klatt 1980, much reduced), with pitch and level by emotion. The
performer makes motion from the same phones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.signal import lfilter

from talkcli.engine.data.manifest import Split
from talkcli.engine.origin import PERFORMED
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.rules.perform import generator, perform
from talkcli.engine.types import SILENCE, SPEECH_RATE_HZ, Alignment, Emotion, Phone, Speech

LICENCE = "CC0-1.0"
_SPEAKERS: Mapping[str, tuple[float, Split]] = {
    "low": (110.0, "train"), "high": (220.0, "train"), "middle": (160.0, "val"),
}  # fmt: skip
# Factor on the speaker's pitch, and peak level of the voice (full scale is 1), by emotion.
_VOICES: Mapping[str, tuple[float, float]] = {
    "neutral": (1.0, 0.12), "happy": (1.3, 0.20), "sad": (0.85, 0.06), "angry": (1.15, 0.30),
}  # fmt: skip
# First and second formant in Hz (Peterson & Barney 1952, rounded).
_FORMANTS: Mapping[str, tuple[float, float]] = {
    "AA": (730.0, 1090.0), "AE": (660.0, 1720.0), "AO": (570.0, 840.0), "IY": (270.0, 2290.0),
    "UW": (300.0, 870.0),
}  # fmt: skip
_CLOSED = ("M", "B", "V")
_SYLLABLES = 7
_BANDWIDTH_HZ = 90.0
_LIPS_SHUT_GAIN = 0.15


@dataclass(frozen=True, kw_only=True)
class Babble:
    """Syllables of a closed and an open sound; `pitch_hz` is the speaker's pitch in Hz."""

    pitch_hz: float

    @property
    def inputs(self) -> tuple[Path, ...]:
        return ()

    def make(self, source: Source) -> Recording:
        rng = generator("babble", source.id, 0)
        phones = _babble(rng)
        factor, level = _VOICES[source.emotion.label]
        speech = Speech(samples=_sound(phones, self.pitch_hz * factor, level, rng))
        alignment = Alignment(tuple(phones), "aligned")
        motion = perform(speech, alignment, source.emotion, speaker=source.speaker, clip_id=source.id)
        return Recording(speech=speech, motion=motion, alignment=alignment, origin=PERFORMED)


def debug_sources() -> list[Source]:
    """Return clips of three speakers with four emotions each."""
    return [
        Source(
            id=f"{speaker}-{label}",
            speaker=speaker,
            emotion=Emotion(label=label, level=1.0),
            split=split,
            licence=LICENCE,
            recipe=Babble(pitch_hz=pitch),
        )
        for speaker, (pitch, split) in _SPEAKERS.items()
        for label in _VOICES
    ]


def _babble(rng: np.random.Generator) -> list[Phone]:
    phones = [Phone(SILENCE, 0.0, 0.3)]
    for _ in range(_SYLLABLES):
        for names, shortest, longest in ((_CLOSED, 0.07, 0.11), (tuple(_FORMANTS), 0.13, 0.22)):
            start = phones[-1].end_s
            phones.append(
                Phone(str(rng.choice(names)), start, start + round(float(rng.uniform(shortest, longest)), 2))
            )
    return [*phones, Phone(SILENCE, phones[-1].end_s, phones[-1].end_s + 0.3)]


def _sound(
    phones: list[Phone], pitch_hz: float, level: float, rng: np.random.Generator
) -> Float[np.ndarray, "samples"]:
    samples = np.zeros(round(phones[-1].end_s * SPEECH_RATE_HZ))
    phase = np.cumsum(pitch_hz * (1 + 0.08 * np.sin(np.arange(len(samples)) / 3000)) / SPEECH_RATE_HZ)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    for phone in phones:
        if phone.symbol == SILENCE:
            continue
        part = slice(round(phone.start_s * SPEECH_RATE_HZ), round(phone.end_s * SPEECH_RATE_HZ))
        shut = phone.symbol not in _FORMANTS
        voice = pulses[part]
        for hz in _FORMANTS.get(phone.symbol, (250.0, 1000.0)):
            voice = _resonance(voice, hz)
        voice = voice * np.sin(np.linspace(0, np.pi, len(voice))) ** 0.3
        samples[part] = voice / max(float(np.abs(voice).max()), 1e-9) * (_LIPS_SHUT_GAIN if shut else 1.0)
    return (level * samples + 1e-4 * rng.standard_normal(len(samples))).astype(np.float32)


def _resonance(samples: Float[np.ndarray, "samples"], hz: float) -> Float[np.ndarray, "samples"]:
    radius = np.exp(-np.pi * _BANDWIDTH_HZ / SPEECH_RATE_HZ)
    return lfilter([1.0], [1.0, -2 * radius * np.cos(2 * np.pi * hz / SPEECH_RATE_HZ), radius**2], samples)
