"""Loudness and pitch over time, at 100 Hz.

Axis names: `steps` at 100 Hz; step k looks at 25 ms of sound centred on its 10 ms (pitch at 40 ms).
Memory grows with the steps alone: windows are looked at a thousand at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import median_filter

from talkcli.engine.types import SPEECH_RATE_HZ, Speech

STEP_HZ = 100
_HOP = SPEECH_RATE_HZ // STEP_HZ
_FLOOR_DB = -80.0
_PITCH_HZ = (70.0, 450.0)
_PITCH_WINDOW = 640
_VOICED = 0.45
_OCTAVE_COST = 0.05
_BLOCK_STEPS = 1024


def loudness_db(speech: Speech) -> Float[np.ndarray, "steps"]:
    """Return root-mean-square level in dB re full scale, not below -80."""
    blocks = _windows(speech.samples, 400)
    power = np.concatenate([np.mean(np.square(block, dtype=np.float64), axis=1) for block in blocks])
    return 10 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))


def pitch_hz(speech: Speech) -> Float[np.ndarray, "steps"]:
    """Return fundamental frequency by normalised autocorrelation (Boersma 1993); NaN where unvoiced."""
    blocks = _windows(speech.samples, _PITCH_WINDOW)
    hz, voiced = (np.concatenate(parts) for parts in zip(*map(_pitch, blocks), strict=True))
    return np.where(voiced, median_filter(hz, 5), np.nan)


def _pitch(
    windows: Float[np.ndarray, "rows width"],
) -> tuple[Float[np.ndarray, "rows"], Bool[np.ndarray, "rows"]]:
    """Return the likeliest pitch of each window in Hz, and whether there is one at all."""
    windows = windows.astype(np.float64)
    windows = (windows - windows.mean(axis=1, keepdims=True)) * np.hanning(_PITCH_WINDOW)
    correlation = _autocorrelation(windows)
    taper = _autocorrelation(np.hanning(_PITCH_WINDOW)[None])[0]
    shortest, longest = (int(SPEECH_RATE_HZ / hz) for hz in reversed(_PITCH_HZ))
    energy = np.maximum(correlation[:, :1], 1e-9)
    # Dividing by the window's own autocorrelation undoes the fade of long lags.
    peaks = (correlation / energy)[:, shortest:longest] / (taper / taper[0])[shortest:longest]
    # A tone repeats after two periods as well as after one: longer lags must be clearly better.
    best = (peaks - _OCTAVE_COST * np.log2(np.arange(shortest, longest))).argmax(axis=1)
    voiced = (peaks.max(axis=1) > _VOICED) & (energy[:, 0] > 1e-3)
    return SPEECH_RATE_HZ / (best + shortest), voiced


def _autocorrelation(windows: Float[np.ndarray, "rows width"]) -> Float[np.ndarray, "rows lags"]:
    width = windows.shape[1]
    spectrum = np.fft.rfft(windows, 2 * width, axis=1)
    return np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :width]


def _windows(samples: Float[np.ndarray, "samples"], width: int) -> Iterator[Float[np.ndarray, "rows width"]]:
    """Yield one row per 10 ms step of the sound, rounded up, centred on the step; in blocks of rows."""
    steps = -(-len(samples) // _HOP)
    before = (width - _HOP) // 2
    for start in range(0, max(steps, 1), _BLOCK_STEPS):
        count = min(_BLOCK_STEPS, steps - start)
        first = start * _HOP - before
        last = first + max(count - 1, 0) * _HOP + width
        # Silence beyond both ends; a copy of the block only, for the sound may be an hour.
        block = np.pad(samples[max(first, 0) : last], (max(-first, 0), max(last - len(samples), 0)))
        yield np.lib.stride_tricks.sliding_window_view(block, width)[::_HOP][:count]
