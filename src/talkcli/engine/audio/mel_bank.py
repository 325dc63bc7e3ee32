"""Banks of triangular mel bands, as torchaudio makes them, without torchaudio's import.

Axis names: `bins` (of a spectrum), `mel`. Slaney's scale is linear up to 1 kHz, three
mels for 200 Hz, and logarithmic above, 27 mels for a factor of 6.4 (Slaney, Auditory Toolbox, 1998). HTK's is
2595 lg(1 + f / 700 Hz) (Young et al., The HTK Book).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

_HZ_PER_MEL = 200.0 / 3
_BEND_HZ = 1000.0
_BEND_MEL = _BEND_HZ / _HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27.0


def mel_bank(
    num_bins: int, low_hz: float, high_hz: float, num_mels: int, rate_hz: int
) -> Float[Tensor, "bins mel"]:
    """Return the weights of each bin of a spectrum up to half of `rate_hz` in each band, 1 at its peak.

    Each band begins at the peak of the one before, and ends at that of the next.
    """
    mels = torch.linspace(_mel(low_hz), _mel(high_hz), num_mels + 2)
    above = _BEND_HZ * torch.exp(_LOG_STEP * (mels - _BEND_MEL))
    return _triangles(torch.where(mels >= _BEND_MEL, above, _HZ_PER_MEL * mels), num_bins, rate_hz)


def htk_bank(num_bins: int, num_mels: int, rate_hz: int) -> Float[Tensor, "bins mel"]:
    """Return the same on HTK's scale, from 0 to half of `rate_hz`."""
    mels = torch.linspace(0.0, 2595.0 * math.log10(1 + rate_hz / 2 / 700.0), num_mels + 2)
    return _triangles(700.0 * (10.0 ** (mels / 2595.0) - 1.0), num_bins, rate_hz)


def _triangles(corners: Float[Tensor, "..."], num_bins: int, rate_hz: int) -> Float[Tensor, "bins mel"]:
    widths = corners.diff()
    distances = corners - torch.linspace(0, rate_hz // 2, num_bins)[:, None]
    rising = -distances[:, :-2] / widths[:-1]
    falling = distances[:, 2:] / widths[1:]
    return torch.minimum(rising, falling).clamp(min=0.0)


def _mel(hz: float) -> float:
    return hz / _HZ_PER_MEL if hz < _BEND_HZ else _BEND_MEL + math.log(hz / _BEND_HZ) / _LOG_STEP
