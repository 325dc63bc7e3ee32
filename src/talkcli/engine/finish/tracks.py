"""What motions over time are put together from: smooth noise, bumps, and values at the frames of a motion.

Axis names: `ticks` of any rate, `steps` at 100 Hz, `frames`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter1d

from talkcli.engine.audio.prosody import STEP_HZ


def stream(layer: str, seed: int, take: int) -> np.random.Generator:
    """Return the random numbers of one layer of one take, the same whatever other layers do."""
    return np.random.default_rng([seed, take, zlib.crc32(layer.encode())])


def smooth_noise(
    num_ticks: int, time_s: float, rate_hz: float, rng: np.random.Generator
) -> Float[np.ndarray, "ticks"]:
    """Return noise of mean 0 and variance 1 through a Gaussian of standard deviation `time_s`."""
    sigma = time_s * rate_hz
    margin = round(4 * sigma)
    noise = gaussian_filter1d(rng.standard_normal(num_ticks + 2 * margin), sigma)
    # A Gaussian of this width leaves white noise a variance of 1 / (2 sigma sqrt(pi)).
    return noise[margin : margin + num_ticks] * np.sqrt(2 * sigma * np.sqrt(np.pi))


def bumps(
    events: Iterable[tuple[float, float]], num_ticks: int, rate_hz: float, *, rise_s: float, fall_s: float
) -> Float[np.ndarray, "ticks"]:
    """Return the sum of `events` (time in seconds, height), each half a Gaussian up and half a wider one
    down.

    Tick k is at (k + 0.5) / `rate_hz` seconds.
    """
    track = np.zeros(num_ticks)
    for time_s, height in events:
        first = max(int((time_s - 4 * rise_s) * rate_hz), 0)
        last = min(int((time_s + 4 * fall_s) * rate_hz) + 1, num_ticks)
        ago = (np.arange(first, last) + 0.5) / rate_hz - time_s
        track[first:last] += height * np.exp(-0.5 * (ago / np.where(ago < 0, rise_s, fall_s)) ** 2)
    return track


def middles(num_frames: int, fps: float) -> Int[np.ndarray, "frames"]:
    """Return the step that lies in the middle of each frame."""
    return ((np.arange(num_frames) + 0.5) * STEP_HZ / fps).astype(np.int64)


def num_steps(num_frames: int, fps: float) -> int:
    """Return how many steps cover the frames."""
    return int(np.ceil(num_frames * STEP_HZ / fps))
