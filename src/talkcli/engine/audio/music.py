"""Random synthetic music: the background of speech in training.

Axis names: `samples` (16 kHz), `steps` (of a scale).
Voices of a piece play random notes of one scale, each with its own rhythm, timbre and decay; some pieces have
drums. No tune is taken from anywhere. The music that `degrade.py` tests with is another: fixed chords of one
timbre.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.types import SPEECH_RATE_HZ

# Semitones above the root: major, natural minor, both pentatonic scales, and all.
_SCALES = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 4, 7, 9),
    (0, 3, 5, 7, 10),
    tuple(range(12)),
)
# Beats of a note.
_BEATS = (0.25, 0.5, 1.0, 2.0, 4.0)
_TEMPO_BPM = (60.0, 180.0)
_ROOT_HZ = (55.0, 220.0)
_MOST_VOICES = 4
_MOST_HARMONICS = 12
# The level of a harmonic is its number to the power of minus this: from bright to dark.
_DARKNESS = (0.3, 2.0)
# Time constant of a note's decay in seconds: from plucked to held.
_DECAY_S = (0.05, 3.0)
# Time in which a note begins, in seconds.
_ONSET_S = (0.002, 0.08)
_DRUMS_SHARE = 0.5
_DRUM_DECAY_S = (0.01, 0.12)


def music(length: int, rng: np.random.Generator) -> Float[np.ndarray, "samples"]:
    """Return `length` samples of a random piece, at no particular level."""
    beat_s = 60 / rng.uniform(*_TEMPO_BPM)
    root_hz = np.exp(rng.uniform(*np.log(_ROOT_HZ)))
    scale = np.array(_SCALES[rng.integers(len(_SCALES))])
    piece = np.zeros(length, np.float32)
    for _ in range(rng.integers(1, _MOST_VOICES + 1)):
        piece += rng.uniform(0.3, 1.0) * _voice(length, rng, beat_s, root_hz, scale)
    if rng.random() < _DRUMS_SHARE:
        piece += rng.uniform(0.3, 1.5) * _drums(length, rng, beat_s)
    return piece


def _voice(
    length: int, rng: np.random.Generator, beat_s: float, root_hz: float, scale: Int[np.ndarray, "steps"]
) -> Float[np.ndarray, "samples"]:
    """Return random notes of one instrument, one after the other or as chords."""
    step = max(round(rng.choice(_BEATS) * beat_s * SPEECH_RATE_HZ), 1)
    together, octave = rng.integers(1, 4), rng.integers(0, 3)
    harmonics = np.arange(1, rng.integers(1, _MOST_HARMONICS + 1) + 1)
    levels = harmonics ** -rng.uniform(*_DARKNESS) * rng.uniform(0.3, 1.0, len(harmonics))
    time_s = np.arange(step) / SPEECH_RATE_HZ
    decay_s, onset_s = np.exp(rng.uniform(*np.log(_DECAY_S))), rng.uniform(*_ONSET_S)
    shape = np.exp(-time_s / decay_s) * np.minimum(time_s / onset_s, 1)
    played = np.zeros(length, np.float32)
    # The first note began before the piece.
    for start in range(-int(rng.integers(step)), length, step):
        notes_hz = root_hz * 2.0 ** (octave + rng.choice(scale, together) / 12)
        parts_hz = np.outer(notes_hz, harmonics)
        volumes = np.where(parts_hz < SPEECH_RATE_HZ / 2, levels, 0.0).ravel()
        turns = np.outer(parts_hz.ravel(), time_s) + rng.random((volumes.size, 1))
        note = volumes @ np.sin(2 * np.pi * turns.astype(np.float32)) * shape
        first, last = max(start, 0), min(start + step, length)
        played[first:last] += note[first - start : last - start]
    return played


def _drums(length: int, rng: np.random.Generator, beat_s: float) -> Float[np.ndarray, "samples"]:
    """Return bursts of noise in the rhythm of the beat."""
    step = max(round(rng.choice(_BEATS[:3]) * beat_s * SPEECH_RATE_HZ), 1)
    played = rng.standard_normal(length, dtype=np.float32)
    since_s = (np.arange(length) + rng.integers(step)) % step / SPEECH_RATE_HZ
    return played * np.exp(-since_s / rng.uniform(*_DRUM_DECAY_S))
