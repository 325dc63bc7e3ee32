"""Head motion with speech: nods on accents, beats of the syllables, a new direction with each phrase, sway.

Axis names: `frames`. The result is `Motion.pose`, axis-angle in radians: positive x nods down, positive y
turns and positive z tilts to the subject's left.
Source: Busso et al. (2007), Rigid head motion in expressive speech animation, for head motion that follows
prosody and grows with arousal; Munhall et al. (2004) for head motion that carries pitch; Graf et al. (2002),
Visual prosody, for nods on accents and new directions at phrase boundaries. The amplitudes
are ours; they bring the speed to that of films (docs/captured.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.filters import gaussian_filter1d
from talkcli.engine.finish.phrasing import Phrasing
from talkcli.engine.finish.tracks import bumps, middles, smooth_noise
from talkcli.engine.types import Emotion

# Standard deviations of the sway, in degrees: nod, turn, tilt. Then that of the Gaussian that smooths it, in
# seconds.
_SWAY, _SWAY_S = (0.7, 1.2, 0.7), 0.7
# Standard deviations of a phrase's direction, in degrees: nod, turn, tilt. Then that of the Gaussian that
# smooths the change from one direction to the next, in seconds.
_BEARING, _BEARING_S = (0.9, 1.8, 1.1), 0.22
# Height in degrees of the nod on an accent of strength 1, and the relative standard deviation of the height.
_NOD, _NOD_SPREAD = 2.6, 0.3
# Share of accents on which the head goes up instead of down, and share of accents without a nod.
_RAISED, _PASSED = 0.15, 0.15
# Standard deviation in degrees of turn and of tilt on an accent of strength 1.
_BEAT = 0.8
# Standard deviations in seconds of the half Gaussians by which a nod rises and falls.
_RISE_S, _FALL_S = 0.13, 0.24
# Amplitudes in degrees of the beats of stressed syllables, per standard deviation of their prominence: nod,
# turn, tilt; and the time in seconds over which their sizes and directions change.
_SYLLABLES, _SYLLABLES_S = (0.75, 0.65, 0.45), 0.8
# Angle in degrees by which the head rises per standard deviation of the slow pitch.
_MELODY = 0.4
# Share of sway and direction that stays in a pause, and the standard deviation in seconds of the Gaussian
# that smooths the transition.
_RESTING, _REST_S = 0.4, 0.3
# Shortest pause in seconds after which the head takes a new direction.
_LONG_PAUSE_S = 0.35
# Standard deviation in seconds of the Gaussian that smooths the whole motion.
_SMOOTH_S = 0.06
# Limit in degrees that each angle approaches but does not exceed (tanh).
_LIMIT = 9.0
# Factor on all angles for an emotion of level 1; an emotion without a row has 1.
_AROUSAL: Mapping[str, float] = {
    "calm": 0.75, "happy": 1.25, "sad": 0.7, "angry": 1.4, "fear": 1.2, "disgust": 1.0, "surprise": 1.3,
    "contempt": 0.9,
}  # fmt: skip


def head_motion(
    heard: Phrasing, num_frames: int, fps: float, rng: np.random.Generator, emotion: Emotion | None = None
) -> Float[np.ndarray, "frames 3"]:
    """Return the rotation of the head in each frame, axis-angle in radians.

    Args:
        heard: Phrasing of the speech.
        num_frames: Number of frames of the result.
        fps: Frames per second of the result.
        rng: Generator of sway, directions and heights of nods.
        emotion: Emotion whose arousal makes the motion larger or smaller; None if it is unknown.
    """
    at = middles(num_frames, fps)
    calm = gaussian_filter1d(1.0 - heard.speaking, _REST_S * STEP_HZ, mode="nearest")[at]
    presence = 1 - (1 - _RESTING) * calm
    degrees = np.zeros((num_frames, 3))
    for axis, (sway, bearing) in enumerate(zip(_SWAY, _BEARING, strict=True)):
        slow = sway * smooth_noise(num_frames, _SWAY_S, fps, rng)
        degrees[:, axis] = presence * (slow + bearing * _bearings(heard, num_frames, fps, rng))
    degrees += _nods(heard, num_frames, fps, rng) + _beats(heard, num_frames, fps, rng)
    degrees[:, 0] -= _MELODY * heard.melody[at]
    arousal = 1.0 if emotion is None else 1 + emotion.level * (_AROUSAL.get(emotion.label, 1.0) - 1)
    degrees = arousal * gaussian_filter1d(degrees, _SMOOTH_S * fps, axis=0, mode="nearest")
    return np.deg2rad(_LIMIT * np.tanh(degrees / _LIMIT)).astype(np.float32)


def _bearings(
    heard: Phrasing, num_frames: int, fps: float, rng: np.random.Generator
) -> Float[np.ndarray, "frames"]:
    """Return a new value for every phrase, drawn from a standard normal clipped at 2.

    The change is smooth: it begins shortly before the phrase and is half done at its start.
    """
    starts = [0.0, *(pause.end_s for pause in heard.pauses if pause.duration_s >= _LONG_PAUSE_S)]
    frames = np.clip(np.round(np.array([*starts, num_frames / fps]) * fps), 0, num_frames).astype(int)
    values = np.clip(rng.standard_normal(len(starts)), -2, 2)
    return gaussian_filter1d(np.repeat(values, np.diff(frames)), _BEARING_S * fps, mode="nearest")


def _beats(
    heard: Phrasing, num_frames: int, fps: float, rng: np.random.Generator
) -> Float[np.ndarray, "frames 3"]:
    """Return the head's motion with stressed syllables, in degrees.

    The nod mostly goes down with them; turn and tilt go to either side, as a slow noise decides.
    """
    prominence = heard.prominence[middles(num_frames, fps)]
    manner = np.stack([smooth_noise(num_frames, _SYLLABLES_S, fps, rng) for _ in _SYLLABLES], axis=1)
    manner[:, 0] = 1 + 0.5 * manner[:, 0]
    return np.array(_SYLLABLES) * manner * prominence[:, None]


def _nods(
    heard: Phrasing, num_frames: int, fps: float, rng: np.random.Generator
) -> Float[np.ndarray, "frames 3"]:
    """Return the head's motion on accents, in degrees: nods, mostly down, with a little turn and tilt."""
    times = [accent.time_s for accent in heard.accents]
    strength = np.array([accent.strength for accent in heard.accents])
    kind = rng.random(len(times))
    sign = np.where(kind < _RAISED, -0.7, np.where(kind < _RAISED + _PASSED, 0.0, 1.0))
    size = np.clip(rng.normal(1, _NOD_SPREAD, len(times)), 0.3, 1.7)
    sides = np.clip(rng.standard_normal((2, len(times))), -2, 2) * _BEAT
    heights = strength * np.stack([_NOD * sign * size, *sides])
    return np.stack(
        [
            bumps(zip(times, height, strict=True), num_frames, fps, rise_s=_RISE_S, fall_s=_FALL_S)
            for height in heights.tolist()
        ],
        axis=1,
    )
