"""Front-end of log-mel energies and prosody, with four hops per frame of motion.

Axis names: `batch`, `samples` (16 kHz), `hops` (100 Hz), `mel`, `channels` (mel bands, then prosody), `looks`
(measurements of a first pass). Differs: DEEPTalk has wav2vec 2.0 and emotion2vec here; this front-end needs
no pretrained network.

Levels are relative to the loud level of the utterance: the 99th percentile over time of its loudest band. The
utterance's mean and standard deviation are no reference, because the mean depends on the share of silence,
and the deviation of silence is zero. A band has the value 1 at the loud level and -1 at `range_db` below it
or lower; digital silence is -1 in all bands (with the default range).
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.mel_bank import mel_bank
from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Config

# Distance of two hops (10 ms), length of the spectrum's window (25 ms) and size of its FFT, in samples.
HOP = SPEECH_RATE_HZ // 100
WINDOW = SPEECH_RATE_HZ * 25 // 1000
FFT = 512
HOPS_PER_FRAME = SAMPLES_PER_FRAME // HOP
assert HOPS_PER_FRAME * HOP == SAMPLES_PER_FRAME

# Number of prosody channels: pitch, voicing, energy.
NUM_PROSODY = 3
# Length of the pitch window in samples (40 ms), and range of the pitch in Hz.
_PITCH_WINDOW = 640
_PITCH_HZ = (60.0, 400.0)
# Lowest loud level (log10 of power): -60 dB of full scale. A quieter utterance counts as silence.
_SILENCE_LOG10 = -6.0
# Number of hops that are computed at a time, so that memory does not grow with the length.
_BLOCK = 1000


class LogMelConfig(Config):
    """Bands, range and channels of the front-end."""

    kind: Literal["log_mel"] = "log_mel"
    """Name of this front-end in a recipe."""
    num_mels: Annotated[int, Field(gt=0, le=256)] = 80
    """Number of mel bands between 60 Hz and 7600 Hz."""
    range_db: Annotated[float, Field(gt=0, le=1000)] = 60.0
    """Distance from the loud level (value 1) to the floor (value -1), in dB."""
    prosody: bool = True
    """Append three channels: pitch, voicing and energy."""

    @property
    def num_channels(self) -> int:
        """The number of channels of the front-end."""
        return self.num_mels + (NUM_PROSODY if self.prosody else 0)


class Overview(NamedTuple):
    """Result of the first pass over an utterance."""

    loud: Float[Tensor, "batch"]
    """Loud level of the mel bands: log10 of power; a sine at full scale has a power of about 1."""
    prosody: Float[Tensor, "batch hops prosody"]
    """Prosody channels of all hops; none if the config switches prosody off."""


class LogMel(nn.Module):
    """Front-end of speech: channels at 100 Hz.

    The window of hop k is centred on the samples 160 k to 160 (k + 1), so the features have no delay. The
    channels are the mel bands, then pitch (octaves above the median of the utterance's voiced hops; 0 where
    voicing is at most 0.5), voicing from 0 to 1, and energy, relative to its own loud level.
    """

    steps_per_frame = HOPS_PER_FRAME
    prefix = 0
    bank: Tensor
    window: Tensor

    def __init__(self, config: LogMelConfig) -> None:
        super().__init__()
        self.config = config
        self.num_channels = config.num_channels
        # On the CPU, also where a model is built for its shapes alone: the buffers are computed, not learnt,
        # and computing on the meta device would load PyTorch's compiler (130 MB, two seconds).
        with torch.device("cpu"):
            bank = mel_bank(FFT // 2 + 1, 60.0, 7600.0, config.num_mels, SPEECH_RATE_HZ)
            window = torch.hann_window(WINDOW)
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("window", window, persistent=False)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch hops channels"]:
        """Return the features of every whole hop of `samples` (16 kHz): one hop for 160 samples.

        The loud level is that of the whole input. So compute the features of an utterance once and cut them
        afterwards, or compute its `overview` once and each `stretch` with it.
        """
        hops = samples.shape[1] // HOP
        return self.stretch(samples, 0, hops, self.overview(samples, hops))

    def overview(self, samples: Float[Tensor, "batch samples"], hops: int) -> Overview:
        """Return the loud level and the prosody of an utterance that silence extends to `hops` hops.

        Memory grows by only a few numbers per hop.
        """
        # Results go into one tensor: small tensors between large intermediates would keep the heap from
        # shrinking.
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
        """Return the features of a stretch of an utterance, equal to those of the whole utterance there.

        Args:
            samples: Whole utterance at 16 kHz; silence follows its end.
            first: First hop of the stretch.
            last: End of the stretch in hops (excluded).
            seen: Result of `overview` for the utterance.
        """
        powers = [self._power(samples, *block) @ self.bank for block in _blocks(first, last)]
        bands = _relative(_log(torch.cat(powers, dim=1)), seen.loud, self.config.range_db)
        return torch.cat([bands, seen.prosody[:, first:last]], dim=-1)

    def _look(
        self, samples: Float[Tensor, "batch samples"], first: int, last: int
    ) -> Float[Tensor, "looks batch hops"]:
        """Return the measurements of the first pass for hops `first` to `last` (excluded).

        They are log10 power of the loudest band, log10 power of all frequencies, pitch (log2 of Hz) and
        voicing; without prosody only the first of them.
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
        """Return the power spectrum, scaled so that a sine at full scale has a peak of about 1."""
        spectrum = torch.fft.rfft(_pieces(samples, first, last, WINDOW) * self.window, n=FFT)
        return spectrum.abs().square() / (WINDOW / 4) ** 2


def _blocks(first: int, last: int) -> list[tuple[int, int]]:
    return [(start, min(start + _BLOCK, last)) for start in range(first, last, _BLOCK)]


def _pieces(
    samples: Float[Tensor, "batch samples"], first: int, last: int, window: int
) -> Float[Tensor, "batch hops window"]:
    """Return the windows centred on hops `first` to `last` (excluded); silence surrounds the utterance.

    `window` is their length in samples.
    """
    edge = (window - HOP) // 2
    start, end = first * HOP - edge, last * HOP + edge
    part = samples[:, max(start, 0) : end]
    before = max(-start, 0)
    return F.pad(part, (before, end - start - before - part.shape[1])).unfold(-1, window, HOP)


def _log(power: Float[Tensor, "*hops"]) -> Float[Tensor, "*hops"]:
    return power.clamp_min(1e-14).log10()


def _loud(log: Float[Tensor, "batch hops"]) -> Float[Tensor, "batch"]:
    """Return the loud level: the 99th percentile over time, but at least the threshold of silence."""
    return torch.quantile(log, 0.99, dim=-1).clamp_min(_SILENCE_LOG10)


def _relative(
    log: Float[Tensor, "batch hops mel"], loud: Float[Tensor, "batch"], range_db: float
) -> Float[Tensor, "batch hops mel"]:
    """Scale log10 power to 1 at the loud level and -1 at `range_db` below it; results end at -1 and 1.5."""
    reach = range_db / 10
    return ((log - loud[:, None, None]) / (reach / 2) + 1).clamp(-1, 1.5)


def _periodicity(
    pieces: Float[Tensor, "batch hops window"],
) -> tuple[Float[Tensor, "batch hops"], Float[Tensor, "batch hops"]]:
    """Return pitch (log2 of Hz) and voicing in [0, 1] of each window.

    They are frequency and height of the largest peak of the normalised autocorrelation from 60 to 400 Hz.
    """
    pieces = pieces - pieces.mean(-1, keepdim=True)
    spectrum = torch.fft.rfft(pieces, n=2 * _PITCH_WINDOW).abs().square()
    correlation = torch.fft.irfft(spectrum, n=2 * _PITCH_WINDOW)
    shortest, longest = (int(SPEECH_RATE_HZ / hz) for hz in reversed(_PITCH_HZ))
    lags = torch.arange(shortest, longest + 1, device=pieces.device)
    # The autocorrelation at a longer lag is a sum of fewer products.
    fewer = 1 - lags / _PITCH_WINDOW
    normalised = correlation[..., shortest : longest + 1] / fewer / (correlation[..., :1] + 1e-6)
    # Multiples of a period correlate as well as the period itself, so each octave of lag costs 0.05.
    index = (normalised - 0.05 * torch.log2(lags / shortest)).argmax(dim=-1)
    voicing = normalised.gather(-1, index[..., None])[..., 0].clamp(0, 1)
    return torch.log2(SPEECH_RATE_HZ / lags[index]), voicing
