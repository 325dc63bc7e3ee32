"""Parts of motion over time: random streams, smooth noise, bumps, and the steps of a motion's frames.

Axis names: `ticks` (any rate), `frames`. Steps have 100 Hz.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.filters import gaussian_filter1d
from talkcli.engine.types import Speech


def stream(layer: str, seed: int, take: int, sound: int = 0) -> np.random.Generator:
    """Return the random generator of one layer of one take, which does not depend on other layers.

    Args:
        layer: Name of the layer.
        seed: Seed of the performance.
        take: Number of the take.
        sound: Digest of the speech, so that two clips of one seed do not blink and nod together.
    """
    return np.random.default_rng([seed, take, zlib.crc32(layer.encode()), sound])


def digest_of(speech: Speech) -> int:
    """Return a number of 32 bits that the samples determine, rounded to 16 bits each."""
    return zlib.crc32((np.clip(speech.samples, -1, 1) * 32767).astype("<i2").tobytes())


def smooth_noise(
    num_ticks: int, time_s: float, rate_hz: float, rng: np.random.Generator
) -> Float[np.ndarray, "ticks"]:
    """Return Gaussian noise of mean 0 and variance 1, smoothed by a Gaussian of standard deviation `time_s`.

    Args:
        num_ticks: Number of ticks of the noise.
        time_s: Standard deviation of the Gaussian window, in seconds.
        rate_hz: Ticks per second.
        rng: Generator of the noise.
    """
    sigma = time_s * rate_hz
    margin = round(4 * sigma)
    noise = gaussian_filter1d(rng.standard_normal(num_ticks + 2 * margin), sigma)
    # Smoothing by a Gaussian reduces the variance of white noise from 1 to 1 / (2 sigma sqrt(pi)).
    return noise[margin : margin + num_ticks] * np.sqrt(2 * sigma * np.sqrt(np.pi))


def bumps(
    events: Iterable[tuple[float, float]], num_ticks: int, rate_hz: float, *, rise_s: float, fall_s: float
) -> Float[np.ndarray, "ticks"]:
    """Return the sum of bumps, each of which rises and falls by half a Gaussian.

    Args:
        events: Time in seconds and height of each bump.
        num_ticks: Number of ticks of the result; tick k is at (k + 0.5) / `rate_hz` seconds.
        rate_hz: Ticks per second.
        rise_s: Standard deviation of the half Gaussian before the time, in seconds.
        fall_s: Standard deviation of the half Gaussian after the time, in seconds.
    """
    track = np.zeros(num_ticks)
    for time_s, height in events:
        first = max(int((time_s - 4 * rise_s) * rate_hz), 0)
        last = min(int((time_s + 4 * fall_s) * rate_hz) + 1, num_ticks)
        ago = (np.arange(first, last) + 0.5) / rate_hz - time_s
        track[first:last] += height * np.exp(-0.5 * (ago / np.where(ago < 0, rise_s, fall_s)) ** 2)
    return track


def ease(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Return the smooth step of `x`: 0 below 0, 1 above 1, and a cubic of zero slope at both ends between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def middles(num_frames: int, fps: float) -> Int[np.ndarray, "frames"]:
    """Return the step (100 Hz) that lies in the middle of each frame."""
    return ((np.arange(num_frames) + 0.5) * STEP_HZ / fps).astype(np.int64)


def num_steps(num_frames: int, fps: float) -> int:
    """Return the number of steps (100 Hz) that cover `num_frames` frames."""
    return int(np.ceil(num_frames * STEP_HZ / fps))
