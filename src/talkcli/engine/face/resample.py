"""The same motion at another frame rate.

Axis names: `frames`, `coeffs`, `channels` (columns of coefficients or of quaternions), `others` = frames of
the result. Frame k is the state at the middle of its time, (k + 0.5) / fps seconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.face.quaternions import axis_angles, quaternions
from talkcli.engine.face.vertex_motion import resample_vertices
from talkcli.engine.types import AnyMotion, Motion, VertexMotion
from talkcli.engine.wording import counted

# Output frames worked out at a time, so that what is between takes no memory of its own.
_BLOCK_FRAMES = 4096
# Eleven hours at 25 fps, more than an hour at 240.
_MOST_FRAMES = 1 << 20


_Moving = TypeVar("_Moving", bound=AnyMotion)


def resample(motion: _Moving, fps: float) -> _Moving:
    """Resample `motion` to `fps` frames per second; return it unchanged when that is its rate already.

    Coefficients follow monotone cubics (Fritsch and Butland 1984), which never overshoot: lips that were
    closed stay closed. Jaw angles are far below a turn, so this function interpolates them one by one; the
    pose goes through quaternions. Nothing is filtered before a lower rate: of faces recorded at 60 fps
    at most 1.1 % of a channel's variance is too fast for 25, and a filter that averages over the longer frame
    doubles what a blink loses of its peak (0.02 without, 0.04 with it). Vertices go the way of
    `resample_vertices`. Raises ValueError when `fps` is not positive, InputError for more frames than any
    motion has.
    """
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps {fps} is not positive")
    if fps == motion.fps:
        return motion
    num_frames = max(1, round(motion.num_frames * fps / motion.fps))
    if num_frames > _MOST_FRAMES:
        raise InputError(
            f"{counted(motion.num_frames, 'frame')} at {motion.fps:g} fps become {num_frames} at {fps:g}, "
            f"more "
            f"than {_MOST_FRAMES}.",
            hint="Check the rate that the motion file says.",
        )
    # mypy takes a bound type variable for what isinstance leaves of it, not for the variable.
    if isinstance(motion, VertexMotion):
        return resample_vertices(motion, fps)  # type: ignore[return-value]
    assert isinstance(motion, Motion)
    at = np.clip((np.arange(num_frames) + 0.5) * (motion.fps / fps) - 0.5, 0, motion.num_frames - 1)
    pose = motion.pose
    if pose is not None:
        pose = axis_angles(_interpolate(quaternions(pose), at)).astype(pose.dtype)
    return replace(motion, coeffs=_interpolate(motion.coeffs, at), fps=fps, pose=pose)


def _interpolate(
    values: Float[np.ndarray, "frames channels"], at: Float[np.ndarray, "others"]
) -> Float[np.ndarray, "others channels"]:
    """Return `values` between the frames, where `at` says."""
    result = np.empty((len(at), values.shape[1]), values.dtype)
    for start in range(0, len(at), _BLOCK_FRAMES):
        block = at[start : start + _BLOCK_FRAMES]
        # A slope looks one frame further than the values on both sides.
        lowest, highest = max(int(block[0]) - 1, 0), min(int(block[-1]) + 3, len(values))
        near = values[lowest:highest].astype(np.float64)
        result[start : start + _BLOCK_FRAMES] = _monotone_cubic(near, block - lowest)
    return result


def _monotone_cubic(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    if len(values) == 1:
        return np.repeat(values, len(at), axis=0)
    steps = np.diff(values, axis=0)
    slopes = np.zeros_like(values)
    before, after = steps[:-1], steps[1:]
    # The harmonic mean of the steps on both sides, and level wherever they disagree in sign.
    rising = before * after > 0
    total = np.where(rising, before + after, 1.0)
    slopes[1:-1] = np.where(rising, 2.0 * before * after / total, 0.0)
    slopes[0], slopes[-1] = steps[0], steps[-1]
    left = np.minimum(at.astype(np.int64), len(values) - 2)
    t = (at - left)[:, None]
    return (
        values[left] * (1 + 2 * t) * (1 - t) ** 2
        + slopes[left] * t * (1 - t) ** 2
        + values[left + 1] * t**2 * (3 - 2 * t)
        + slopes[left + 1] * t**2 * (t - 1)
    )
