"""Beat alignment: how near the beats of a motion are to the beats of its sound.

Axis names: `frames`, `steps` (from one frame to the next), `points`, `beats`. A beat of a motion is
a minimum of its speed. All published forms average over the beats of the sound, so that a motion with many
beats scores well. They differ in the speed, the rule for a beat, and the tolerance. The papers take the beats
of the sound from librosa, which talk does not use; its own are the accents of the speech
(`finish/phrasing.py`), so that its numbers compare with each other only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.finish.phrasing import phrasing
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Speech

Points = Float[np.ndarray, "frames points 3"]
Track = Float[np.ndarray, "frames"]
Beats = Int[np.ndarray, "beats"]
# Moments of beats, in seconds or frames.
Times = np.ndarray | Sequence[float]

# KDTalker: standard deviation of the Gaussian over the speed in frames, and tolerance in seconds.
_SMOOTH, _TOLERANCE_S = 5.0, 0.1
# The same smoothing in seconds, at its 25 fps.
_SMOOTH_S = 0.2
# Bailando: tolerance in frames.
_TOLERANCE_FRAMES = 3.0
# Speed in radians per frame under which a head counts as still.
_STILL_RAD = 1e-6


def alignment(sound: Times, motion: Times, tolerance: float) -> float:
    """Return the mean over beats of the sound of exp(-d^2 / (2 tolerance^2)), d to the nearest beat of the
    motion.

    All three arguments have one unit, seconds or frames. The value lies in [0, 1].

    Raises:
        UndefinedMetricError: Without beats of either kind.
    """
    heard, shown = np.asarray(sound, np.float64), np.asarray(motion, np.float64)
    if len(heard) == 0:
        raise UndefinedMetricError("the sound has no beats")
    if len(shown) == 0:
        raise UndefinedMetricError("the motion has no beats")
    nearest = np.abs(heard[:, None] - shown[None]).min(axis=1)
    return float(np.exp(-np.square(nearest) / (2 * tolerance**2)).mean())


def smooth_beats(points: Points) -> Beats:
    """Return the minima of the mean speed of all points, smoothed over five frames.

    Sources: KDTalker (evaluation), and dance scripts after Bailando (Li et al. 2022). Index k is the step
    from frame k to the next.
    """
    steps = np.linalg.norm(np.diff(points.astype(np.float64), axis=0), axis=2).mean(axis=1)
    return minima(gaussian_filter1d(steps, _SMOOTH))


def minima(values: Float[np.ndarray, "steps"]) -> Beats:
    """Return the indices of the values that are smaller than both neighbours, as scipy's `argrelmin` does.

    scipy.signal takes 0.7 s to load, which each process that scores would wait for.
    """
    inner = values[1:-1]
    return np.flatnonzero((inner < values[:-2]) & (inner < values[2:])) + 1


def bas_kdtalker(points: Points, sound_s: Times, fps: float) -> float:
    """Return `alignment` of `smooth_beats` in seconds, with a tolerance of 0.1 s (KDTalker).

    With the script's own beats of the sound, `sound_s`, this is the script's number.
    """
    return alignment(sound_s, smooth_beats(points) / fps, _TOLERANCE_S)


def ba_bailando(points: Points, sound_s: Times, fps: float) -> float:
    """Return `alignment` of `smooth_beats` in frames, with a tolerance of three frames at any rate."""
    frames = np.floor(np.asarray(sound_s) * fps)
    return alignment(frames, smooth_beats(points), _TOLERANCE_FRAMES)


def pose_spread(angles_deg: Float[np.ndarray, "frames 3"]) -> float:
    """Return the mean over yaw, pitch and roll of their standard deviations over time, in degrees.

    Source: KDTalker (evaluation), as the diversity of head motion within a clip.
    """
    return float(angles_deg.astype(np.float64).std(axis=0).mean())


def head_beats(pose: Float[np.ndarray, "frames 3"], sound_s: Times, fps: float) -> float:
    """Return `alignment` of the minima of the head's speed with beats of the sound, within 0.1 s.

    A measure of our own, in KDTalker's form: the speed is that of the rotation, smoothed over 0.2 s.

    Args:
        pose: Rotation of the head, axis-angle in radians.
        sound_s: Beats of the sound in seconds.
        fps: Frame rate.

    Raises:
        UndefinedMetricError: Without beats of either kind, and when the head never turns.
    """
    turns = Rotation.from_rotvec(pose)
    if len(turns) < 2 or (speeds := (turns[:-1].inv() * turns[1:]).magnitude()).max() < _STILL_RAD:
        raise UndefinedMetricError("the head never turns")
    beats = minima(gaussian_filter1d(speeds, _SMOOTH_S * fps))
    return alignment(sound_s, (beats + 1) / fps, _TOLERANCE_S)


def accents_s(take: Take, speech: Speech) -> list[float]:
    """Return the times of the accents of the speech within a take, in seconds."""
    steps = round(take.num_frames / take.fps * STEP_HZ)
    return [accent.time_s for accent in phrasing(speech, steps).accents]


def measure_head(take: Take, speech: Speech) -> float:
    """Measure `head_beats` of a take with the accents of its speech."""
    return head_beats(take.pose(), accents_s(take, speech), take.fps)


def measure_kdtalker(take: Take, speech: Speech) -> float:
    """Measure `bas_kdtalker` of the landmarks of a take with the accents of its speech."""
    return bas_kdtalker(take.turned_landmarks(), accents_s(take, speech), take.fps)


def measure_bailando(take: Take, speech: Speech) -> float:
    """Measure `ba_bailando` of the landmarks of a take with the accents of its speech."""
    return ba_bailando(take.turned_landmarks(), accents_s(take, speech), take.fps)


def measure_pose_spread(take: Take) -> float:
    """Measure `pose_spread` of a take."""
    return pose_spread(Rotation.from_rotvec(take.pose()).as_euler("yxz", degrees=True))
