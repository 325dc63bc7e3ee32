"""Beat alignment: how near the beats of a motion are to the beats of its sound.

Axis names: `frames`, `steps` (from one frame to the next), `points`, `coeffs`, `beats`. A beat of a motion is
a minimum of its speed. All published forms average over the beats of the sound, so that a motion with many
beats scores well. They differ in the speed, the rule for a beat, and the tolerance. The papers take the beats
of the sound from librosa, which talk does not use; its own are the accents of the speech
(`finish/phrasing.py`), so that its numbers compare with each other only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter1d
from scipy.signal import argrelmin
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
# EMAGE: tolerance in seconds; frames on either side in which a beat is the minimum; least speed of a beat as
# a share of the scale, in the tools of today and in the scripts of 2024; joints that count, of SMPL-X.
_EMAGE_TOLERANCE_S, _EMAGE_REACH = 0.3, 7
EMAGE_LEAST, EMAGE_2024_LEAST = 0.1, 0.3
EMAGE_JOINTS = (3, 6, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
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
    return argrelmin(gaussian_filter1d(steps, _SMOOTH))[0]


def bas_kdtalker(points: Points, sound_s: Times, fps: float) -> float:
    """Return `alignment` of `smooth_beats` in seconds, with a tolerance of 0.1 s (KDTalker)."""
    return alignment(sound_s, smooth_beats(points) / fps, _TOLERANCE_S)


def ba_bailando(points: Points, sound_s: Times, fps: float) -> float:
    """Return `alignment` of `smooth_beats` in frames, with a tolerance of three frames at any rate."""
    frames = np.floor(np.asarray(sound_s) * fps)
    return alignment(frames, smooth_beats(points), _TOLERANCE_FRAMES)


def joint_speeds(joints: Points, fps: float) -> Float[np.ndarray, "frames points"]:
    """Return the speed of each joint: central differences, one-sided at the ends; per second."""
    return np.linalg.norm(np.gradient(joints.astype(np.float64), 1 / fps, axis=0), axis=2)


def bc_emage(
    speeds: Float[np.ndarray, "frames points"],
    onsets_s: Times,
    scale: float,
    fps: float,
    *,
    least: float = EMAGE_LEAST,
    cut: int = 0,
    joints_found_only: bool = False,
) -> float:
    """Return EMAGE's beat consistency of a clip: the mean over `EMAGE_JOINTS` of `alignment` of their beats.

    Source: EMAGE (emage_evaltools). A joint without beats counts 0. The scripts test the speed of a beat at
    its place in the cut clip, but look it up in the uncut one.

    Args:
        speeds: `joint_speeds` of the whole clip.
        onsets_s: Onsets of the sound in seconds, in the cut clip.
        scale: Speed that counts as 1; the tools take the largest speed of the first clip without one.
        fps: Frame rate.
        least: Share of `scale` that the speed of a beat exceeds.
        cut: Frames that are cut at both ends.
        joints_found_only: Whether joints without beats are left out of the mean, as in 2024.
    """
    scaled = speeds / scale
    window = scaled[cut : len(scaled) - cut]
    scores = []
    for joint in EMAGE_JOINTS:
        beats = argrelmin(window[:, joint], order=_EMAGE_REACH)[0]
        beats = beats[scaled[beats, joint] > least]
        scores.append(alignment(onsets_s, beats / fps, _EMAGE_TOLERANCE_S) if len(beats) else None)
    found = [score for score in scores if score is not None]
    if not found:
        return 0.0
    return math.fsum(found) / (len(found) if joints_found_only else len(scores))


def change_rates(codes: Float[np.ndarray, "frames coeffs"]) -> Float[np.ndarray, "coeffs"]:
    """Return the mean absolute change of each coefficient per frame, which `bc_said` divides by."""
    return np.abs(np.diff(codes.astype(np.float64), axis=0)).mean(axis=0)


def bc_said(
    codes: Float[np.ndarray, "frames coeffs"],
    onsets_s: Times,
    rates: Float[np.ndarray, "coeffs"],
    fps: float,
    threshold: float = 0.1,
) -> float:
    """Return SAiD's beat consistency of coefficients; a clip without beats scores 0.

    Source: SAiD (said/metric). A beat is a minimum of the mean change over coefficients, at least one side of
    which is higher by more than `threshold`.

    Args:
        codes: Coefficients of the clip.
        onsets_s: Onsets of the sound in seconds.
        rates: Mean over all clips of `change_rates`.
        fps: Frame rate; the script's default is 60.
        threshold: See above.
    """
    steps = (np.abs(np.diff(codes.astype(np.float64), axis=0)) / rates).mean(axis=1)
    before, after = steps[:-2] - steps[1:-1], steps[2:] - steps[1:-1]
    beats = np.flatnonzero((before > 0) & (after > 0) & (np.maximum(before, after) > threshold)) + 1
    return alignment(onsets_s, beats / fps, _TOLERANCE_S) if len(beats) else 0.0


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
    beats = argrelmin(gaussian_filter1d(speeds, _SMOOTH_S * fps))[0]
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
