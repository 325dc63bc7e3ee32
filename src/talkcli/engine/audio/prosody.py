"""Loudness and pitch of speech over time, at 100 Hz.

Axis names: `samples` (16 kHz), `steps` (100 Hz), `rows` (windows of a block), `width` (samples of a window),
`lags` (in samples). The window of step k is centred on the step's 10 ms; it has 25 ms for loudness and 40 ms
for pitch. About a thousand windows are computed at a time, so that memory grows only by the results.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.filters import median_filter
from talkcli.engine.types import SPEECH_RATE_HZ, Speech

# Rate of steps in Hz.
STEP_HZ = 100
# Distance of two steps in samples.
_HOP = SPEECH_RATE_HZ // STEP_HZ
# Lowest loudness in dB of full scale.
_FLOOR_DB = -80.0
# Range of the pitch in Hz, and length of its window in samples (40 ms).
_PITCH_HZ = (70.0, 450.0)
_PITCH_WINDOW = 640
# Threshold of the normalised autocorrelation above which a step is voiced.
_VOICED = 0.45
# Reduction of a peak of the normalised autocorrelation per octave of its lag.
_OCTAVE_COST = 0.05
# Number of steps that are computed at a time.
_BLOCK_STEPS = 1024


def loudness_db(speech: Speech) -> Float[np.ndarray, "steps"]:
    """Return the root-mean-square level in dB of full scale, at least -80."""
    blocks = _windows(speech.samples, 400)
    power = np.concatenate([np.mean(np.square(block, dtype=np.float64), axis=1) for block in blocks])
    return 10 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))


def pitch_hz(speech: Speech) -> Float[np.ndarray, "steps"]:
    """Return the fundamental frequency in Hz, by normalised autocorrelation (Boersma 1993).

    It is NaN where the sound is unvoiced. A median filter of five steps smooths it.
    """
    blocks = _windows(speech.samples, _PITCH_WINDOW)
    hz, voiced = (np.concatenate(parts) for parts in zip(*map(_pitch, blocks), strict=True))
    return np.where(voiced, median_filter(hz, 5), np.nan)


def _pitch(
    windows: Float[np.ndarray, "rows width"],
) -> tuple[Float[np.ndarray, "rows"], Bool[np.ndarray, "rows"]]:
    """Return the likeliest pitch of each window in Hz, and whether the window is voiced."""
    windows = windows.astype(np.float64)
    windows = (windows - windows.mean(axis=1, keepdims=True)) * np.hanning(_PITCH_WINDOW)
    correlation = _autocorrelation(windows)
    taper = _autocorrelation(np.hanning(_PITCH_WINDOW)[None])[0]
    shortest, longest = (int(SPEECH_RATE_HZ / hz) for hz in reversed(_PITCH_HZ))
    energy = np.maximum(correlation[:, :1], 1e-9)
    # Division by the window's own autocorrelation compensates its fall at long lags.
    peaks = (correlation / energy)[:, shortest:longest] / (taper / taper[0])[shortest:longest]
    # A tone repeats after two periods as well as after one, so a longer lag needs a clearly higher peak.
    best = (peaks - _OCTAVE_COST * np.log2(np.arange(shortest, longest))).argmax(axis=1)
    voiced = (peaks.max(axis=1) > _VOICED) & (energy[:, 0] > 1e-3)
    return SPEECH_RATE_HZ / (best + shortest), voiced


def _autocorrelation(windows: Float[np.ndarray, "rows width"]) -> Float[np.ndarray, "rows lags"]:
    width = windows.shape[1]
    spectrum = np.fft.rfft(windows, 2 * width, axis=1)
    return np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :width]


def _windows(samples: Float[np.ndarray, "samples"], width: int) -> Iterator[Float[np.ndarray, "rows width"]]:
    """Yield one window of `width` samples per step, centred on the step, in blocks of rows.

    An incomplete last step has a window too.
    """
    steps = -(-len(samples) // _HOP)
    before = (width - _HOP) // 2
    for start in range(0, max(steps, 1), _BLOCK_STEPS):
        count = min(_BLOCK_STEPS, steps - start)
        first = start * _HOP - before
        last = first + max(count - 1, 0) * _HOP + width
        # Silence extends both ends. Only the block is padded, since a copy of an hour of sound is large.
        block = np.pad(samples[max(first, 0) : last], (max(-first, 0), max(last - len(samples), 0)))
        yield np.lib.stride_tricks.sliding_window_view(block, width)[::_HOP][:count]
