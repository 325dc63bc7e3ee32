"""Mel-frequency cepstral coefficients, as the package python_speech_features computes them by default.

Axis names: `samples` (16 kHz), `ticks` (100 Hz), `bins` (of the spectrum), `cepstra` = 13. SyncNet reads
these features, so every default of that package counts: windows of 25 ms every 10 ms without taper,
pre-emphasis 0.97, 26 triangular filters whose corners are whole bins, the logarithm of energy as the first
coefficient, and a lifter of 22. The filters follow Davis & Mermelstein 1980.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.fft import dct

from talkcli.engine.types import SPEECH_RATE_HZ

# Number of coefficients of a tick, and ticks in a second.
CEPSTRA = 13
TICK_HZ = 100
# Length of a window and distance of two windows, in samples.
_WINDOW = SPEECH_RATE_HZ * 25 // 1000
_HOP = SPEECH_RATE_HZ // TICK_HZ
_FFT = 512
_FILTERS = 26
_LIFTER = 22
_PRE_EMPHASIS = 0.97
# Value in place of a power of zero, whose logarithm does not exist.
_TINY = np.finfo(np.float64).eps


def as_int16(samples: Shaped[np.ndarray, "samples"]) -> Int[np.ndarray, "samples"]:
    """Return sound in [-1, 1] as 16-bit numbers; 32767 is full scale, and halves round to even."""
    return np.clip(np.rint(samples.astype(np.float64) * 32767), -32768, 32767).astype(np.int16)


def mfcc(samples: Int[np.ndarray, "samples"]) -> Float[np.ndarray, "ticks cepstra"]:
    """Return the coefficients of 16-bit sound at 16 kHz; zeros complete the last window.

    Raises ValueError without samples.
    """
    if len(samples) == 0:
        raise ValueError("sound without samples has no coefficients")
    heard = samples.astype(np.float64)
    heard = np.append(heard[0], heard[1:] - _PRE_EMPHASIS * heard[:-1])
    ticks = 1 + max(-(-(len(heard) - _WINDOW) // _HOP), 0)
    heard = np.pad(heard, (0, (ticks - 1) * _HOP + _WINDOW - len(heard)))
    windows = np.lib.stride_tricks.sliding_window_view(heard, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(windows, _FFT)) ** 2 / _FFT
    bands = _positive(power @ _filters().T)
    cepstra = dct(np.log(bands), type=2, axis=1, norm="ortho")[:, :CEPSTRA]
    cepstra *= 1 + _LIFTER / 2 * np.sin(np.pi * np.arange(CEPSTRA) / _LIFTER)
    cepstra[:, 0] = np.log(_positive(power.sum(axis=1)))
    return cepstra


def _positive(power: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    return np.where(power == 0, _TINY, power)


@cache
def _filters() -> Float[np.ndarray, "filters bins"]:
    """Return the triangular filters: equal distances of their corners on the mel scale up to 8 kHz."""
    highest = 2595 * np.log10(1 + SPEECH_RATE_HZ / 2 / 700)
    corners_hz = 700 * (10 ** (np.linspace(0, highest, _FILTERS + 2) / 2595) - 1)
    corners = np.floor((_FFT + 1) * corners_hz / SPEECH_RATE_HZ).astype(int)
    filters = np.zeros((_FILTERS, _FFT // 2 + 1))
    for row, (low, top, high) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        rising, falling = np.arange(low, top), np.arange(top, high)
        filters[row, rising] = (rising - low) / max(top - low, 1)
        filters[row, falling] = (high - falling) / max(high - top, 1)
    return filters
