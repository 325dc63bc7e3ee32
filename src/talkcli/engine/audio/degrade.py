"""Degradations of speech for evaluation: the same kind always changes a sound in the same way.

Axis names: `samples` (16 kHz). Training draws its changes at random (`audio/augment.py`); an evaluation needs
named conditions that others can repeat. All draws come from the sound itself, so that two clips get different
noise and two runs the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
import soxr
from jaxtyping import Float

from talkcli.engine.audio.augment import band_limit, coloured, mixed, mu_law, pitch, reverberate
from talkcli.engine.audio.io import speech_of
from talkcli.engine.types import SPEECH_RATE_HZ, Silent, Speech

Degradation = Literal["telephone", "noise", "music", "reverb", "offset", "quiet", "pitch"]
DEGRADATIONS: tuple[Degradation, ...] = get_args(Degradation)

_Samples = Float[np.ndarray, "samples"]

_TELEPHONE_HZ = 8000
_TELEPHONE_BAND_HZ = (300.0, 3400.0)
# Level of the speech above noise and music, in dB.
_SNR_DB = 10.0
# A large hall: reverberation time in seconds, and level of the direct sound above the room's, in dB.
_RT60_S, _DIRECT_DB = 1.0, 0.0
_OFFSET = 0.2
_QUIET_DB = -25.0
_PITCH = 1.3
# The synthetic music: seconds of a chord, its notes in semitones above the root, lowest root in Hz, harmonics
# of a note, and time constant in seconds of its decay.
_CHORD_S, _CHORD, _ROOT_HZ, _HARMONICS, _DECAY_S = 0.5, (0, 4, 7, 12), 110.0, 6, 0.4


def degrade(speech: Speech, kind: Degradation) -> Speech:
    """Return `speech` as a poor recording has it, of the same length, converted as talk converts files.

    Args:
        speech: Speech at 16 kHz.
        kind: `telephone` is 8 kHz, 300 to 3400 Hz, 8-bit mu-law; `noise` and `music` (synthetic chords) are
            10 dB below the speech; `reverb` is a hall of RT60 1 s whose reflections are as loud as the direct
            sound; `offset` adds a constant of 0.2; `quiet` is 25 dB softer; `pitch` multiplies the
            frequencies of the voice by 1.3.

    Raises:
        KeyError: For another kind.
        InputError: For speech shorter than a frame or longer than TALK_MAX_MINUTES.
    """
    rng = np.random.default_rng(zlib.crc32(np.ascontiguousarray(speech.samples).tobytes()))
    changed = _CHANGES[kind](speech.samples, rng)
    return speech_of(changed[:, None], SPEECH_RATE_HZ, Silent())


def _telephone(samples: _Samples, _: np.random.Generator) -> _Samples:
    narrow = soxr.resample(band_limit(samples, *_TELEPHONE_BAND_HZ), SPEECH_RATE_HZ, _TELEPHONE_HZ)
    wide = soxr.resample(mu_law(np.clip(narrow, -1, 1)), _TELEPHONE_HZ, SPEECH_RATE_HZ)[: len(samples)]
    return np.pad(wide, (0, len(samples) - len(wide)))


def _noise(samples: _Samples, rng: np.random.Generator) -> _Samples:
    return mixed(samples, coloured(len(samples), rng), _SNR_DB)


def _music(samples: _Samples, rng: np.random.Generator) -> _Samples:
    length = round(_CHORD_S * SPEECH_RATE_HZ)
    count = -(-len(samples) // length)
    time_s = np.arange(length) / SPEECH_RATE_HZ
    # A few milliseconds of onset keep the chords from clicking.
    shape = np.exp(-time_s / _DECAY_S) * np.minimum(time_s / 0.005, 1)
    chords = []
    for root in rng.integers(0, 12, count):
        notes = _ROOT_HZ * 2 ** ((root + np.array(_CHORD)) / 12)
        waves = [
            np.sin(2 * np.pi * part * note * time_s + rng.uniform(0, 2 * np.pi)) / part
            for note in notes
            for part in range(1, _HARMONICS + 1)
        ]
        chords.append(shape * np.sum(waves, axis=0))
    return mixed(samples, np.concatenate(chords)[: len(samples)].astype(np.float32), _SNR_DB)


_CHANGES: Mapping[Degradation, Callable[[_Samples, np.random.Generator], _Samples]] = {
    "telephone": _telephone,
    "noise": _noise,
    "music": _music,
    "reverb": lambda samples, rng: reverberate(samples, rng, _RT60_S, _DIRECT_DB),
    "offset": lambda samples, _: samples + np.float32(_OFFSET),
    "quiet": lambda samples, _: samples * np.float32(10 ** (_QUIET_DB / 20)),
    "pitch": lambda samples, _: pitch(samples, _PITCH),
}
