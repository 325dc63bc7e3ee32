"""What the face does besides its words, one value per clip: head, brows, lids, gaze, sides.

Axis names: `frames`, `values`. The measures of `metrics/liveliness.py`, and some that only describe faces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from scipy.ndimage import gaussian_filter1d

from talkcli.engine.errors import AssetError
from talkcli.engine.face.ada.head import EYE_TURN_RAD
from talkcli.engine.face.captured import Spread
from talkcli.engine.finish.eyes import direction
from talkcli.engine.masks import runs
from talkcli.engine.metrics import liveliness
from talkcli.engine.metrics.real_mouth import log_energy
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.captured.phones import spread
from talkcli.engine.types import Speech

# A raise of the brows is a run of frames in which `browInnerUp` exceeds its median by this share.
_RAISE = 0.08
# A blink begins where the smaller closure of the lids exceeds this share; it lasts no longer than this time
# in seconds. It is full where the closure reaches the next share.
_BLINK_FROM, _LONGEST_BLINK_S, _FULL = 0.3, 0.7, 0.8
# Shares of a blink's height between which lids close and open, and above which they are shut; time in seconds
# before and after a blink in which they do so.
_LOW, _HIGH, _AROUND_S = 0.2, 0.8, 0.4
# Speed of the gaze, in degrees per second, from which on it jumps; shortest fixation in seconds.
_SACCADE_DEG_S, _SHORTEST_FIXATION_S = 30.0, 0.1
# Pairs of channels, or of means of channels, whose correlations are told.
_PAIRS = {
    "brow_inner_outer_r": (("browInnerUp",), ("browOuterUpLeft", "browOuterUpRight")),
    "brow_left_right_r": (("browOuterUpLeft",), ("browOuterUpRight",)),
    "cheek_smile_r": (
        ("cheekSquintLeft", "cheekSquintRight"), ("mouthSmileLeft", "mouthSmileRight"),
    ),
    "jaw_lower_down_r": (("jawPitch",), ("mouthLowerDownLeft", "mouthLowerDownRight")),
    "smile_left_right_r": (("mouthSmileLeft",), ("mouthSmileRight",)),
}  # fmt: skip
# Standard deviation in seconds of the Gaussian that removes a tracker's jitter from the head's rotation.
_JITTER_S = 0.04
# Smallest standard deviation of a channel that counts as movement.
_MOVES = 0.005
_AXES = ("nod", "turn", "tilt")


@dataclass(frozen=True, kw_only=True)
class Face:
    """A take, and the sound that belongs to it; None where nothing was recorded."""

    take: Take
    speech: Speech | None = None


def whole_face(faces: Iterable[Face]) -> dict[str, Spread]:
    """Return the quartiles over clips of every measure that is defined for one of them or more."""
    found: dict[str, list[float]] = defaultdict(list)
    for face in faces:
        for name, value in face_values(face).items():
            found[name].append(value)
    return {name: spread(values) for name, values in sorted(found.items())}


def face_values(face: Face) -> dict[str, float]:
    """Return the measures of one clip: those that its motion allows."""
    take = face.take
    values = {
        "brow_sd": liveliness.measure_brow_sd(take),
        "gap_mean_mm": liveliness.measure_gap_mean(take),
        "closed_share": liveliness.measure_closed_share(take),
        "blinks_per_min": liveliness.measure_blink_rate(take),
        "raises_per_min": _raises(take),
        **_blinks(take),
        **_gaze(take),
    }
    # Hand-made curves may have equal sides, and trackers may record no rotation of the head.
    with suppress(UndefinedMetricError):
        values["asymmetry"] = liveliness.measure_asymmetry(take)
    with suppress(AssetError, UndefinedMetricError):
        values |= _head(take)
    for name, sides in _PAIRS.items():
        first, second = (np.mean([take.channel(channel) for channel in side], axis=0) for side in sides)
        if min(first.std(), second.std()) > _MOVES:
            values[name] = float(np.corrcoef(first, second)[0, 1])
    if face.speech is not None and values["brow_sd"] > _MOVES:
        energy = log_energy(face.speech, take.num_frames, take.fps)
        values["brow_energy_r"] = float(np.corrcoef(take.channel("browInnerUp"), energy)[0, 1])
    return values


def _head(take: Take) -> dict[str, float]:
    """Return the speeds of the head, in degrees per second, and the deviations of its angles, in degrees.

    Raises AssetError or UndefinedMetricError for a take without rotations of the head.
    """
    speeds = {"head_deg_s": liveliness.measure_head_speed(take), "head_smoothed_deg_s": _smoothed_speed(take)}
    deviations = np.degrees(take.pose()).std(axis=0).tolist()
    return speeds | {f"{axis}_sd_deg": value for axis, value in zip(_AXES, deviations, strict=True)}


def _smoothed_speed(take: Take) -> float:
    """Return the speed of the head, in degrees per second, without the tracker's jitter of single frames.

    Small rotations add like vectors, so that a Gaussian over axis-angle smooths them.
    """
    pose = gaussian_filter1d(take.pose(), _JITTER_S * take.fps, axis=0, mode="nearest")
    return float(np.degrees(np.linalg.norm(np.diff(pose, axis=0), axis=1)).mean() * take.fps)


def _raises(take: Take) -> float:
    """Return the number of raises of the brows per minute."""
    brow = take.channel("browInnerUp")
    return float(len(runs(brow > np.median(brow) + _RAISE)) * 60 * take.fps / take.num_frames)


def _blinks(take: Take) -> dict[str, float]:
    """Return mean durations of closing, shut and opening lids in seconds, and the share of full blinks."""
    lids = np.minimum(take.channel("eyeBlinkLeft"), take.channel("eyeBlinkRight"))
    around = round(_AROUND_S * take.fps)
    parts, full = [], []
    for start, end in runs(lids > _BLINK_FROM):
        if (end - start) / take.fps > _LONGEST_BLINK_S or start == 0 or end == len(lids):
            continue
        peak = start + int(lids[start:end].argmax())
        top, before = float(lids[peak]), max(start - around, 0)
        near = lids[before : end + around]
        low, high = (_run_at(near > share * top, peak - before) for share in (_LOW, _HIGH))
        parts.append((high[0] - low[0], high[1] - high[0], low[1] - high[1]))
        full.append(top >= _FULL)
    if not parts:
        return {}
    closing, shut, opening = (np.mean(parts, axis=0) / take.fps).tolist()
    return {
        "blink_closing_s": closing, "blink_shut_s": shut, "blink_opening_s": opening,
        "blink_full_share": float(np.mean(full)),
    }  # fmt: skip


def _run_at(mask: Bool[np.ndarray, "frames"], frame: int) -> tuple[int, int]:
    """Return first and last (exclusive) frame of the run of true values that holds `frame`."""
    return next(run for run in runs(mask) if run[0] <= frame < run[1])


def _gaze(take: Take) -> dict[str, float]:
    """Return the deviations of the gaze, sideways and up, in degrees, and the median fixation in seconds."""
    side, up = (np.degrees(track * EYE_TURN_RAD) for track in direction(take.coeffs()))
    speed = np.hypot(np.diff(side), np.diff(up)) * take.fps
    held = [(end - start) / take.fps for start, end in runs(speed < _SACCADE_DEG_S)]
    fixations = [time for time in held if time >= _SHORTEST_FIXATION_S]
    values = {"gaze_side_sd_deg": float(side.std()), "gaze_up_sd_deg": float(up.std())}
    return values | ({"fixation_s": float(np.median(fixations))} if fixations else {})
