"""Log-mel energies and prosody of speech, four hops to a frame of motion.

Axis names: `batch`, `samples` (16 kHz), `hops` (100 Hz), `mel`, `channels` (mel bands, then prosody).
Stands where DEEPTalk has wav2vec 2.0 and emotion2vec: no pretrained network, so nothing to download.

Levels are measured against the loudest of the utterance, not against its mean and deviation: a mean moves
with the share of silence, and a deviation of silence is zero. A band is 1 at the loud level, -1 at `range_db`
below and for anything quieter; digital silence is -1 throughout.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
import torchaudio.functional as taf
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Config

HOP = SPEECH_RATE_HZ // 100
WINDOW = SPEECH_RATE_HZ * 25 // 1000
FFT = 512
HOPS_PER_FRAME = SAMPLES_PER_FRAME // HOP
assert HOPS_PER_FRAME * HOP == SAMPLES_PER_FRAME

NUM_PROSODY = 3
_PITCH_WINDOW = 640
_PITCH_HZ = (60.0, 400.0)
# Quieter than this the whole utterance counts as silence (power of full scale: -60 dB).
_SILENCE_LOG10 = -6.0
# Hops looked at together, so that memory does not grow with the length.
_BLOCK = 1000


class LogMelConfig(Config):
    """What the models hear."""

    kind: Literal["log_mel"] = "log_mel"
    num_mels: Annotated[int, Field(gt=0, le=256)] = 80
    """Mel bands between 60 Hz and 7600 Hz."""
    range_db: Annotated[float, Field(gt=0, le=1000)] = 60.0
    """Distance from the loud level to the floor."""
    prosody: bool = True
    """Append pitch, voicing and energy."""


class Overview(NamedTuple):
    """What a first look at an utterance finds: the loud power of a mel band (log10), and all prosody."""

    loud: Float[Tensor, "batch"]
    prosody: Float[Tensor, "batch hops prosody"]


class LogMel(nn.Module):
    """Speech to channels at 100 Hz; hop `k` is centred on samples [160 k, 160 (k + 1)), so nothing is
    delayed.
    """

    steps_per_frame = HOPS_PER_FRAME
    prefix = 0
    bank: Tensor
    window: Tensor

    def __init__(self, config: LogMelConfig) -> None:
        super().__init__()
        self.config = config
        self.num_channels = config.num_mels + (NUM_PROSODY if config.prosody else 0)
        # Computed, not learnt: there even where the model is built for its shapes alone (and computing on the
        # meta device would load PyTorch's compiler: 130 MB and two seconds).
        with torch.device("cpu"):
            bank = taf.melscale_fbanks(
                FFT // 2 + 1, 60.0, 7600.0, config.num_mels, SPEECH_RATE_HZ, mel_scale="slaney"
            )
            window = torch.hann_window(WINDOW)
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("window", window, persistent=False)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch hops channels"]:
        """Return `samples` at 16 kHz, a whole number of hops long; gives samples / 160 hops.

        The level is that of the whole input: compute the features of an utterance once and cut them
        afterwards, or take its `overview` first and then `stretch` after stretch.
        """
        hops = samples.shape[1] // HOP
        return self.stretch(samples, 0, hops, self.overview(samples, hops))

    def overview(self, samples: Float[Tensor, "batch samples"], hops: int) -> Overview:
        """Return the first look at an utterance whose end is silence up to `hops`; holds a few numbers a
        hop.
        """
        # Written into place: small results between large intermediates would keep the heap from shrinking.
        looks = samples.new_empty(4 if self.config.prosody else 1, len(samples), hops)
        for first, last in _blocks(0, hops):
            looks[..., first:last] = self._look(samples, first, last)
        loudest, *prosody = looks
        if not prosody:
            return Overview(_loud(loudest), loudest.new_empty(*loudest.shape, 0))
        energy, octaves, voicing = prosody
        voiced = voicing > 0.5
        median = (
            torch.where(voiced, octaves, torch.nan).nanmedian(dim=-1, keepdim=True).values.nan_to_num(0.0)
        )
        pitch = torch.stack([torch.where(voiced, octaves - median, 0.0), voicing], dim=-1)
        level = _relative(energy[..., None], _loud(energy), self.config.range_db)
        return Overview(_loud(loudest), torch.cat([pitch, level], dim=-1))

    def stretch(
        self, samples: Float[Tensor, "batch samples"], first: int, last: int, seen: Overview
    ) -> Float[Tensor, "batch hops channels"]:
        """Return hops `first` to `last` (excluded) of what the whole utterance gives; silence follows its
        end.
        """
        powers = [self._power(samples, *block) @ self.bank for block in _blocks(first, last)]
        bands = _relative(_log(torch.cat(powers, dim=1)), seen.loud, self.config.range_db)
        return torch.cat([bands, seen.prosody[:, first:last]], dim=-1)

    def _look(
        self, samples: Float[Tensor, "batch samples"], first: int, last: int
    ) -> Float[Tensor, "looks batch hops"]:
        """Return log power of the loudest band and of all frequencies, pitch (log2 of Hz) and voicing; the
        first alone without prosody.
        """
        power = self._power(samples, first, last)
        loudest = _log((power @ self.bank).amax(-1))
        if not self.config.prosody:
            return loudest[None]
        pitch, voicing = _periodicity(_pieces(samples, first, last, _PITCH_WINDOW))
        return torch.stack([loudest, _log(power.sum(-1)), pitch, voicing])

    def _power(
        self, samples: Float[Tensor, "batch samples"], first: int, last: int
    ) -> Float[Tensor, "batch hops frequencies"]:
        """Compute the power spectrum, in which a full-scale sine has about one."""
        spectrum = torch.fft.rfft(_pieces(samples, first, last, WINDOW) * self.window, n=FFT)
        return spectrum.abs().square() / (WINDOW / 4) ** 2


def _blocks(first: int, last: int) -> list[tuple[int, int]]:
    return [(start, min(start + _BLOCK, last)) for start in range(first, last, _BLOCK)]


def _pieces(
    samples: Float[Tensor, "batch samples"], first: int, last: int, window: int
) -> Float[Tensor, "batch hops window"]:
    """Return windows centred on hops `first` to `last` (excluded), with silence around the utterance."""
    edge = (window - HOP) // 2
    start, end = first * HOP - edge, last * HOP + edge
    part = samples[:, max(start, 0) : end]
    before = max(-start, 0)
    return F.pad(part, (before, end - start - before - part.shape[1])).unfold(-1, window, HOP)


def _log(power: Float[Tensor, "*hops"]) -> Float[Tensor, "*hops"]:
    return power.clamp_min(1e-14).log10()


def _loud(log: Float[Tensor, "batch hops"]) -> Float[Tensor, "batch"]:
    """Return the 99th percentile over time."""
    return torch.quantile(log, 0.99, dim=-1).clamp_min(_SILENCE_LOG10)


def _relative(
    log: Float[Tensor, "batch hops mel"], loud: Float[Tensor, "batch"], range_db: float
) -> Float[Tensor, "batch hops mel"]:
    """Return log power from -1 (floor) to about 1 (the loud level)."""
    reach = range_db / 10
    return ((log - loud[:, None, None]) / (reach / 2) + 1).clamp(-1, 1.5)


def _periodicity(
    pieces: Float[Tensor, "batch hops window"],
) -> tuple[Float[Tensor, "batch hops"], Float[Tensor, "batch hops"]]:
    """Return frequency (log2 of Hz) and height of the peak of the normalised autocorrelation from 60 to 400
    Hz.
    """
    pieces = pieces - pieces.mean(-1, keepdim=True)
    spectrum = torch.fft.rfft(pieces, n=2 * _PITCH_WINDOW).abs().square()
    correlation = torch.fft.irfft(spectrum, n=2 * _PITCH_WINDOW)
    shortest, longest = (int(SPEECH_RATE_HZ / hz) for hz in reversed(_PITCH_HZ))
    lags = torch.arange(shortest, longest + 1, device=pieces.device)
    # A longer lag sums fewer products.
    fewer = 1 - lags / _PITCH_WINDOW
    normalised = correlation[..., shortest : longest + 1] / fewer / (correlation[..., :1] + 1e-6)
    # Multiples of a period correlate as well as the period itself: prefer the shorter.
    index = (normalised - 0.05 * torch.log2(lags / shortest)).argmax(dim=-1)
    voicing = normalised.gather(-1, index[..., None])[..., 0].clamp(0, 1)
    return torch.log2(SPEECH_RATE_HZ / lags[index]), voicing
