"""Phrasing: the pauses, accents and pitch of speech, from the sound alone, which the layers follow.

Axis names: `steps` (100 Hz).
Source: the thresholds of silence are those of `metrics/silence_closed.py` (30 dB below the speech level, for
200 ms). Accents are peaks of loudness plus pitch, as in Terken (1991) and much of the work on beats of head
and brows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.audio.prosody import STEP_HZ, loudness_db, pitch_hz
from talkcli.engine.filters import gaussian_filter1d, maximum_filter1d
from talkcli.engine.masks import runs
from talkcli.engine.types import SILENCE, Phone, Speech

# Distance in dB below the speech level at which a step counts as silent.
_SILENCE_DB = 30.0
# Percentile of a sound's level that is its speech level.
_SPEECH_LEVEL_PERCENTILE = 95
# Level in dB re full scale up to which every step counts as silent; a recording without a louder step has no
# speech.
_INAUDIBLE_DB = -60.0
# Shortest silence in seconds that counts as a pause.
_SHORTEST_PAUSE_S = 0.2
# Time in seconds before and after an accent within which no step may be higher.
_ACCENT_GAP_S = 0.4
# Threshold of an accent: the sum of loudness and pitch, each in standard deviations.
_ACCENT = 1.0
# Standard deviation in seconds of the Gaussian that smooths loudness before the search for accents.
_SMOOTH_S = 0.06
# Standard deviation in seconds of the Gaussian that smooths pitch to `Phrasing.melody`.
_MELODY_S = 0.2
# Standard deviations in seconds of the two Gaussians whose difference keeps the 1 to 3 Hz of the loudness,
# the rate of stressed syllables; and the limit of `Phrasing.prominence`.
_SYLLABLE_S, _MOST_PROMINENT = (0.08, 0.3), 2.5


@dataclass(frozen=True)
class Accent:
    """A stressed moment of speech."""

    time_s: float
    """Time of the accent in seconds."""
    strength: float
    """Strength in [0.4, 1.4]: half the sum of loudness and pitch, each in standard deviations."""


@dataclass(frozen=True)
class Phrasing:
    """Pauses, accents and pitch of a sound."""

    speaking: Bool[np.ndarray, "steps"]
    """Mask that is False in the pauses and True elsewhere."""
    pauses: tuple[Phone, ...]
    """Silences of 0.2 s and more, in order of time."""
    accents: tuple[Accent, ...]
    """Accents in order of time."""
    melody: Float[np.ndarray, "steps"]
    """Smoothed logarithm of the pitch less its mean, in standard deviations; 0 within long pauses."""
    prominence: Float[np.ndarray, "steps"]
    """The 1 to 3 Hz of the loudness, in its standard deviations; peaks are stressed syllables."""


def phrasing(speech: Speech, num_steps: int) -> Phrasing:
    """Return the phrasing of the first `num_steps` steps; steps behind the end of the sound are silent."""
    loud = _fitted(loudness_db(speech), num_steps, _INAUDIBLE_DB)
    level = max(float(np.percentile(loud, _SPEECH_LEVEL_PERCENTILE)), _INAUDIBLE_DB)
    pauses = _runs(loud <= max(level - _SILENCE_DB, _INAUDIBLE_DB))
    speaking = np.ones(num_steps, dtype=bool)
    for pause in pauses:
        speaking[round(pause.start_s * STEP_HZ) : round(pause.end_s * STEP_HZ)] = False
    tone = _tone(_fitted(pitch_hz(speech), num_steps, np.nan), speaking)
    return Phrasing(
        speaking=speaking,
        pauses=pauses,
        accents=_accents(loud, tone, speaking),
        melody=gaussian_filter1d(tone, _MELODY_S * STEP_HZ),
        prominence=_prominence(loud, speaking),
    )


def _prominence(
    loud: Float[np.ndarray, "steps"], speaking: Bool[np.ndarray, "steps"]
) -> Float[np.ndarray, "steps"]:
    """Return the band-passed level in standard deviations; pauses are 0, and fade in and out."""
    if not speaking.any():
        return np.zeros(len(loud))
    # Without pauses the level has no steps that the filter would turn into beats.
    held = np.interp(np.arange(len(loud)), np.flatnonzero(speaking), loud[speaking])
    fast, slow = (gaussian_filter1d(held, time_s * STEP_HZ, mode="nearest") for time_s in _SYLLABLE_S)
    beats = (fast - slow) / max(float((fast - slow)[speaking].std()), 1e-6)
    presence = gaussian_filter1d(speaking.astype(np.float64), _SYLLABLE_S[0] * STEP_HZ, mode="nearest")
    return np.clip(beats, -_MOST_PROMINENT, _MOST_PROMINENT) * presence


def _runs(silent: Bool[np.ndarray, "steps"]) -> tuple[Phone, ...]:
    """Return the runs of silent steps that are long enough to be pauses."""
    times = ((start / STEP_HZ, end / STEP_HZ) for start, end in runs(silent))
    return tuple(Phone(SILENCE, start, end) for start, end in times if end - start >= _SHORTEST_PAUSE_S)


def _tone(
    pitch: Float[np.ndarray, "steps"], speaking: Bool[np.ndarray, "steps"]
) -> Float[np.ndarray, "steps"]:
    """Return the logarithm of `pitch` (Hz) less its mean, in standard deviations.

    Unvoiced steps are interpolated; pauses, and sounds with fewer than two voiced steps, are 0.
    """
    voiced = np.flatnonzero(np.isfinite(pitch) & speaking)
    if len(voiced) < 2:
        return np.zeros(len(pitch))
    # The clip limits the effect of octave errors.
    tone = np.clip(_standardised(np.log2(pitch[voiced]), np.log2(pitch[voiced])), -2, 2)
    return np.where(speaking, np.interp(np.arange(len(pitch)), voiced, tone), 0.0)


def _accents(
    loud: Float[np.ndarray, "steps"], tone: Float[np.ndarray, "steps"], speaking: Bool[np.ndarray, "steps"]
) -> tuple[Accent, ...]:
    """Return the accents: peaks of standardised loudness plus `tone` above the threshold.

    Args:
        loud: Level in dB at each step.
        tone: Pitch in standard deviations at each step.
        speaking: Mask of the steps outside pauses.
    """
    if not speaking.any():
        return ()
    smooth = gaussian_filter1d(loud, _SMOOTH_S * STEP_HZ, mode="nearest")
    stress = np.where(speaking, _standardised(smooth, smooth[speaking]) + tone, -np.inf)
    peaks = stress == maximum_filter1d(stress, 2 * round(_ACCENT_GAP_S * STEP_HZ) + 1)
    found = np.flatnonzero(peaks & (stress > _ACCENT))
    # Of equal peaks that are neighbours, keep the first.
    found = found[np.diff(found, prepend=-STEP_HZ) > _ACCENT_GAP_S * STEP_HZ]
    strengths = np.clip(stress[found] / 2, 0.4, 1.4)
    return tuple(map(Accent, (found / STEP_HZ).tolist(), strengths.tolist()))


def _standardised(
    values: Float[np.ndarray, "values"], like: Float[np.ndarray, "others"]
) -> Float[np.ndarray, "values"]:
    """Return `values` less the mean of `like`, in standard deviations of `like`."""
    return (values - like.mean()) / max(float(like.std()), 1e-6)


def _fitted(track: Float[np.ndarray, "_"], num_steps: int, beyond: float) -> Float[np.ndarray, "steps"]:
    """Return `track` cut to `num_steps`, or extended with the value `beyond`."""
    return np.pad(track[:num_steps], (0, max(num_steps - len(track), 0)), constant_values=beyond)
