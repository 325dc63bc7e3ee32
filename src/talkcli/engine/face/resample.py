"""The same motion at another frame rate.

Axis names: `frames`, `coeffs`. Frame k is the state at the middle of its time, (k + 0.5) / fps seconds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from talkcli.engine.types import Motion

# Output frames worked out at a time, so that what is between takes no memory of its own.
_BLOCK_FRAMES = 4096


def resample(motion: Motion, fps: float) -> Motion:
    """`motion` at `fps` frames per second; itself when that is its rate already.

    Coefficients follow monotone cubics (Fritsch and Butland 1984), which never overshoot: what was closed
    stays closed. Jaw angles are far below a turn, so that they may be interpolated one by one. Nothing is
    filtered before a lower rate: motion faster than half of it aliases. Raises ValueError when `fps` is not
    positive.
    """
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps {fps} is not positive")
    if fps == motion.fps:
        return motion
    count = len(motion.coeffs)
    num_frames = max(1, round(count * fps / motion.fps))
    at = np.clip((np.arange(num_frames) + 0.5) * (motion.fps / fps) - 0.5, 0, count - 1)
    coeffs = np.empty((num_frames, motion.coeffs.shape[1]), motion.coeffs.dtype)
    for start in range(0, num_frames, _BLOCK_FRAMES):
        block = at[start : start + _BLOCK_FRAMES]
        # A slope looks one frame further than the values on both sides.
        lowest, highest = max(int(block[0]) - 1, 0), min(int(block[-1]) + 3, count)
        values = motion.coeffs[lowest:highest].astype(np.float64)
        coeffs[start : start + _BLOCK_FRAMES] = _monotone_cubic(values, block - lowest)
    return replace(motion, coeffs=coeffs, fps=fps)


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
