"""Where speech pauses and what it stresses, from the sound alone: what the layers move to.

Axis names: `steps` at 100 Hz.
Source: silence is what `metrics/silence_closed.py` calls so (30 dB below the speech level, for 200 ms);
accents are the peaks of loudness and pitch together, as in Terken (1991) and much of the work on beats of
head and brows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from talkcli.engine.audio.prosody import STEP_HZ, loudness_db, pitch_hz
from talkcli.engine.types import SILENCE, Phone, Speech

_SILENCE_DB = 30.0
_SPEECH_LEVEL_PERCENTILE = 95
# A recording whose speech would be quieter than this holds none.
_INAUDIBLE_DB = -60.0
_SHORTEST_PAUSE_S = 0.2
_ACCENT_GAP_S = 0.4
# In standard deviations of loudness plus those of pitch.
_ACCENT = 1.0
_SMOOTH_S = 0.06
_MELODY_S = 0.2


@dataclass(frozen=True)
class Accent:
    """A stressed moment; strength is 1 for a usual one."""

    time_s: float
    strength: float


@dataclass(frozen=True)
class Phrasing:
    """`speaking` is False in `pauses` (silences of 0.2 s and more, in order) and True elsewhere. `melody` is
    the pitch's slow way in standard deviations of the logarithm, 0 where there is none.
    """

    speaking: Bool[np.ndarray, "steps"]
    pauses: tuple[Phone, ...]
    accents: tuple[Accent, ...]
    melody: Float[np.ndarray, "steps"]


def phrasing(speech: Speech, num_steps: int) -> Phrasing:
    """Return the phrasing of `num_steps` steps, silent ones where the sound is shorter."""
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
    )


def _runs(silent: Bool[np.ndarray, "steps"]) -> tuple[Phone, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]]).astype(np.int8)))
    times = (edges / STEP_HZ).reshape(-1, 2).tolist()
    return tuple(Phone(SILENCE, start, end) for start, end in times if end - start >= _SHORTEST_PAUSE_S)


def _tone(
    pitch: Float[np.ndarray, "steps"], speaking: Bool[np.ndarray, "steps"]
) -> Float[np.ndarray, "steps"]:
    """Return the pitch in standard deviations, lines through unvoiced sounds, 0 in pauses."""
    voiced = np.flatnonzero(np.isfinite(pitch) & speaking)
    if len(voiced) < 2:
        return np.zeros(len(pitch))
    # Octave errors count as high tones, and no more.
    tone = np.clip(_standardised(np.log2(pitch[voiced]), np.log2(pitch[voiced])), -2, 2)
    return np.where(speaking, np.interp(np.arange(len(pitch)), voiced, tone), 0.0)


def _accents(
    loud: Float[np.ndarray, "steps"], tone: Float[np.ndarray, "steps"], speaking: Bool[np.ndarray, "steps"]
) -> tuple[Accent, ...]:
    """Return the highest points of loudness plus tone among their neighbours."""
    if not speaking.any():
        return ()
    smooth = gaussian_filter1d(loud, _SMOOTH_S * STEP_HZ, mode="nearest")
    stress = np.where(speaking, _standardised(smooth, smooth[speaking]) + tone, -np.inf)
    peaks = stress == maximum_filter1d(stress, 2 * round(_ACCENT_GAP_S * STEP_HZ) + 1)
    found = np.flatnonzero(peaks & (stress > _ACCENT))
    # Of equal neighbours the first.
    found = found[np.diff(found, prepend=-STEP_HZ) > _ACCENT_GAP_S * STEP_HZ]
    strengths = np.clip(stress[found] / 2, 0.4, 1.4)
    return tuple(map(Accent, (found / STEP_HZ).tolist(), strengths.tolist()))


def _standardised(
    values: Float[np.ndarray, "values"], like: Float[np.ndarray, "others"]
) -> Float[np.ndarray, "values"]:
    return (values - like.mean()) / max(float(like.std()), 1e-6)


def _fitted(track: Float[np.ndarray, "_"], num_steps: int, beyond: float) -> Float[np.ndarray, "steps"]:
    return np.pad(track[:num_steps], (0, max(num_steps - len(track), 0)), constant_values=beyond)
