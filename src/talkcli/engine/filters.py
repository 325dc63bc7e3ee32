"""Filters over time: those of scipy.ndimage that performing needs, to the bit, without its import.

That import takes a fifth of a second before the first picture. Axis names: `steps` (along `axis`). Beyond
its ends, `reflect` mirrors a signal with its first and last value, `nearest` repeats these, and `constant`
takes zeros.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Mode = Literal["reflect", "nearest", "constant"]
_PADS: dict[str, Literal["symmetric", "edge", "constant"]] = {
    "reflect": "symmetric",
    "nearest": "edge",
    "constant": "constant",
}
# Standard deviations after which a bell ends.
_TRUNCATE = 4.0


def gaussian_filter1d(signal: np.ndarray, sigma: float, axis: int = -1, mode: Mode = "reflect") -> np.ndarray:
    """Return `signal`, in its own number type, smoothed by a bell of the standard deviation `sigma`, in
    steps.
    """
    radius = int(_TRUNCATE * sigma + 0.5)
    bell = np.exp(-0.5 / (sigma * sigma) * np.arange(-radius, radius + 1) ** 2)
    return convolve1d(signal, bell / bell.sum(), axis, mode)


def convolve1d(signal: np.ndarray, weights: np.ndarray, axis: int = -1, mode: Mode = "reflect") -> np.ndarray:
    """Return `signal`, in its own number type, convolved with a symmetric window of odd length."""
    reach = len(weights) // 2
    padded = _padded(np.asarray(signal, np.float64), (reach, reach), axis, mode)
    steps = padded.shape[-1] - 2 * reach
    # Sums from the ends of the window to its middle, as scipy has them.
    total = padded[..., reach : reach + steps] * weights[reach]
    for away in range(reach, 0, -1):
        before = padded[..., reach - away : reach - away + steps]
        after = padded[..., reach + away : reach + away + steps]
        total += (before + after) * weights[reach - away]
    return np.moveaxis(total, -1, axis).astype(np.asarray(signal).dtype)


def maximum_filter1d(signal: np.ndarray, size: int, axis: int = -1, mode: Mode = "reflect") -> np.ndarray:
    """Return the largest value within `size` steps, half of them before each step."""
    return np.moveaxis(_windows(signal, size // 2, size, axis, mode).max(axis=-1), -1, axis)


def grey_opening(signal: np.ndarray, size: int) -> np.ndarray:
    """Return the only axis of `signal` without what rises for less than `size` steps."""
    lowest = _windows(signal, size // 2, size, -1, "reflect").min(axis=-1)
    # The window of the way back is the mirrored one, so that an even size moves nothing.
    return _windows(lowest, size - 1 - size // 2, size, -1, "reflect").max(axis=-1)


def median_filter(signal: np.ndarray, size: int) -> np.ndarray:
    """Return the medians of `size` steps, an odd number, along the only axis of `signal`."""
    return np.median(_windows(signal, size // 2, size, -1, "reflect"), axis=-1)


def _windows(signal: np.ndarray, before: int, size: int, axis: int, mode: Mode) -> np.ndarray:
    """Return a view of the `size` steps round each step, of which `before` lie before it, as a last axis."""
    if not signal.size:
        return np.empty((*np.moveaxis(signal, axis, -1).shape, size), signal.dtype)
    return sliding_window_view(_padded(signal, (before, size - 1 - before), axis, mode), size, axis=-1)


def _padded(signal: np.ndarray, width: tuple[int, int], axis: int, mode: Mode) -> np.ndarray:
    """Return `signal` with `axis` last, and longer by `width` before and after."""
    moved = np.moveaxis(signal, axis, -1)
    # What has no values has none to repeat.
    how = _PADS[mode] if moved.size else "constant"
    return np.pad(moved, [(0, 0)] * (moved.ndim - 1) + [width], mode=how)
