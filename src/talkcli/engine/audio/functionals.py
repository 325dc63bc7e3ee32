"""Functionals of speech: statistics of spectrum, loudness and pitch over a stretch of sound.

Axis names: `batch`, `hops` (100 Hz), `channels` (mel bands, then prosody, see `LogMel`), `bands` = 16,
`features`. Source: the idea of eGeMAPS (Eyben et al. 2016, IEEE Transactions on Affective Computing 7(2)), in
which statistics of a few descriptors name emotions better across speakers and corpora than a network that
learns from some hundred clips. The set is ours, computed from the log-mel features that our models share.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.audio.log_mel import NUM_PROSODY

# Number of cepstral coefficients, and of bands of the mean spectrum.
_CEPSTRA, _BANDS = 20, 16
# Relative energy (1 is the loud level, -1 lies 60 dB below) above which a hop counts as speech: 36 dB below.
_SPEECH = -0.2
# Height of the autocorrelation's peak above which a hop counts as voiced.
_VOICED = 0.5
# Fewest hops of a set; a smaller set is replaced by a larger one.
_FEWEST = 10
# Share of the voiced hops that count as loud in the spectrum of loud speech.
_LOUD_SHARE = 0.3
_LOUDNESS_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_PITCH_QUANTILES = (0.05, 0.2, 0.8, 0.95)
# Edges in Hz of the bands of loudness modulation; syllables lie at 2 to 6 Hz.
_MODULATION_HZ = (0.5, 2.0, 4.0, 6.0, 10.0, 20.0)
_MODULATION_HOPS, _HOPS_HZ = 2048, 100.0
NUM_FUNCTIONALS = 3 * _CEPSTRA + 2 * _BANDS + len(_LOUDNESS_QUANTILES) + len(_PITCH_QUANTILES) + 15


def functionals(hops: Float[Tensor, "batch hops channels"]) -> Float[Tensor, "batch features"]:
    """Return the functionals of log-mel features with prosody, at least two hops long.

    Features are, in this order: mean, deviation and deviation of change of 20 cepstral coefficients in voiced
    speech; the mean spectrum of voiced speech, and how the loud third of it differs, in 16 bands; quantiles
    and deviation of loudness; quantiles, deviation and change of pitch; mean and deviation of voicing; voiced
    stretches per second and their share; deviation and mean size of loudness change; the shares of loudness
    modulation in five bands.
    """
    mel, (pitch, voicing, level) = hops[..., :-NUM_PROSODY], hops[..., -NUM_PROSODY:].unbind(-1)
    everything = torch.ones_like(level, dtype=torch.bool)
    speech = _enough(level > _SPEECH, everything)
    voiced = _enough((voicing > _VOICED) & speech, speech)
    num_mels = mel.shape[-1]
    angles = (torch.arange(num_mels, device=mel.device) + 0.5)[:, None] * torch.arange(
        _CEPSTRA, device=mel.device
    )
    cepstra = mel @ (torch.cos(angles * math.pi / num_mels) / num_mels**0.5)
    spectrum = F.adaptive_avg_pool1d(mel, _BANDS)
    loud = voiced & (level >= _quantiles(level, voiced, (1 - _LOUD_SHARE,)))
    average = _mean(spectrum, voiced)
    steady = voiced[:, 1:] & voiced[:, :-1]
    change = level.diff(dim=1)
    inside = speech[:, 1:]
    starts = (voiced[:, 1:] & ~voiced[:, :-1]).sum(1, keepdim=True)
    spoken = speech.sum(1, keepdim=True)
    parts = [
        _mean(cepstra, voiced),
        _deviation(cepstra, voiced),
        _deviation(cepstra.diff(dim=1), voiced[:, 1:]),
        average,
        _mean(spectrum, loud) - average,
        _quantiles(level, speech, _LOUDNESS_QUANTILES),
        _deviation(level[..., None], speech),
        _quantiles(pitch, voiced, _PITCH_QUANTILES),
        _deviation(pitch[..., None], voiced),
        _mean(pitch.diff(dim=1).abs()[..., None], steady),
        _mean(voicing[..., None], speech),
        _mean(voicing[..., None], voiced),
        _deviation(voicing[..., None], voiced),
        _HOPS_HZ * starts / spoken,
        voiced.sum(1, keepdim=True) / spoken,
        _deviation(change[..., None], inside),
        _mean(change.abs()[..., None], inside),
        _modulation(level),
    ]
    return torch.cat(parts, dim=-1)


def _enough(chosen: Bool[Tensor, "batch hops"], otherwise: Bool[Tensor, "batch hops"]) -> Tensor:
    """Return `chosen`, and `otherwise` for rows in which too few hops are chosen."""
    return torch.where((chosen.sum(1) >= _FEWEST)[:, None], chosen, otherwise)


def _mean(
    track: Float[Tensor, "batch hops columns"], chosen: Bool[Tensor, "batch hops"]
) -> Float[Tensor, "batch columns"]:
    weights = chosen.to(track)[..., None]
    return (track * weights).sum(1) / weights.sum(1).clamp_min(1)


def _deviation(
    track: Float[Tensor, "batch hops columns"], chosen: Bool[Tensor, "batch hops"]
) -> Float[Tensor, "batch columns"]:
    return _mean((track - _mean(track, chosen)[:, None]).square(), chosen).sqrt()


def _quantiles(
    track: Float[Tensor, "batch hops"], chosen: Bool[Tensor, "batch hops"], shares: tuple[float, ...]
) -> Float[Tensor, "batch shares"]:
    masked = track.masked_fill(~chosen, torch.nan)
    return torch.nanquantile(masked, torch.tensor(shares, device=track.device).to(track), dim=1).T


def _modulation(level: Float[Tensor, "batch hops"]) -> Float[Tensor, "batch bands"]:
    """Return the shares of the power of loudness changes in the bands of `_MODULATION_HZ`."""
    window = torch.hann_window(level.shape[1], device=level.device).to(level)
    centred = (level - level.mean(1, keepdim=True)) * window
    length = max(_MODULATION_HOPS, level.shape[1])
    power = torch.fft.rfft(centred.float(), n=length).abs().square()
    at_hz = torch.fft.rfftfreq(length, 1 / _HOPS_HZ, device=level.device)
    sums = [power[:, (at_hz > low) & (at_hz <= high)].sum(1) for low, high in pairwise(_MODULATION_HZ)]
    bands = torch.stack(sums, dim=1)
    return bands / bands.sum(1, keepdim=True).clamp_min(1e-9)
