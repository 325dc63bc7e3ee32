"""Log-mel energies and prosody of speech, four hops to a frame of motion.

Axis names: `batch`, `samples` (16 kHz), `hops` (100 Hz), `mel`, `channels` (mel bands, then prosody).
Stands where DEEPTalk has wav2vec 2.0 and emotion2vec: no pretrained network, so nothing to download.

Levels are measured against the loudest of the utterance, not against its mean and deviation: a mean moves
with the share of silence, and a deviation of silence is zero. A band is 1 at the loud level, -1 at `range_db`
below and for anything quieter; digital silence is -1 throughout.
"""

from __future__ import annotations

import torch
import torchaudio.functional as taf
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Config

HOP = SPEECH_RATE_HZ // 100
WINDOW = SPEECH_RATE_HZ * 25 // 1000
FFT = 512
HOPS_PER_FRAME = SAMPLES_PER_FRAME // HOP
assert HOPS_PER_FRAME * HOP == SAMPLES_PER_FRAME
_EDGE = (WINDOW - HOP) // 2

NUM_PROSODY = 3
_PITCH_WINDOW = 640
_PITCH_HZ = (60.0, 400.0)
# Quieter than this the whole utterance counts as silence (power of full scale: -60 dB).
_SILENCE_LOG10 = -6.0
# Hops looked at together, so that memory does not grow with the length.
_BLOCK = 3000


class LogMelConfig(Config):
    """What the models hear."""

    num_mels: int = 80
    """Mel bands between 60 Hz and 7600 Hz."""
    range_db: float = 60.0
    """Distance from the loud level to the floor."""
    prosody: bool = True
    """Append pitch, voicing and energy."""


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
        bank = taf.melscale_fbanks(
            FFT // 2 + 1, 60.0, 7600.0, config.num_mels, SPEECH_RATE_HZ, mel_scale="slaney"
        )
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)

    @property
    def num_channels(self) -> int:
        return self.config.num_mels + (NUM_PROSODY if self.config.prosody else 0)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch hops channels"]:
        """`samples` at 16 kHz, a whole number of hops long; gives samples / 160 hops.

        The level is that of the whole input: compute the features of an utterance once and cut them
        afterwards.
        """
        pieces = F.pad(samples, (_EDGE, _EDGE)).unfold(-1, WINDOW, HOP)
        bands, energy = zip(*(self._power(block) for block in pieces.split(_BLOCK, dim=1)), strict=True)
        scaled = _relative(torch.cat(bands, dim=1), self.config.range_db)
        if not self.config.prosody:
            return scaled
        level = _relative(torch.cat(energy, dim=1), self.config.range_db)
        return torch.cat([scaled, _pitch(samples), level], dim=-1)

    def _power(
        self, pieces: Float[Tensor, "batch hops window"]
    ) -> tuple[Float[Tensor, "batch hops mel"], Float[Tensor, "batch hops 1"]]:
        """Power in mel bands and in all; that of a full-scale sine is about one."""
        power = torch.fft.rfft(pieces * self.window, n=FFT).abs().square() / (WINDOW / 4) ** 2
        return power @ self.bank, power.sum(-1, keepdim=True)


def _relative(power: Float[Tensor, "batch hops mel"], range_db: float) -> Float[Tensor, "batch hops mel"]:
    """Log power from -1 (floor) to about 1 (the 99th percentile over time of the loudest band)."""
    log = power.clamp_min(1e-14).log10()
    loud = torch.quantile(log.amax(-1), 0.99, dim=-1).clamp_min(_SILENCE_LOG10)[:, None, None]
    reach = range_db / 10
    return ((log - loud) / (reach / 2) + 1).clamp(-1, 1.5)


def _pitch(samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch hops 2"]:
    """Pitch in octaves around the utterance's median (0 where unvoiced) and voicing in [0, 1]."""
    edge = (_PITCH_WINDOW - HOP) // 2
    pieces = F.pad(samples, (edge, edge)).unfold(-1, _PITCH_WINDOW, HOP)
    blocks = [_periodicity(block) for block in pieces.split(_BLOCK, dim=1)]
    octaves, voicing = (torch.cat(part, dim=1) for part in zip(*blocks, strict=True))
    voiced = voicing > 0.5
    median = torch.where(voiced, octaves, torch.nan).nanmedian(dim=-1, keepdim=True).values.nan_to_num(0.0)
    return torch.stack([torch.where(voiced, octaves - median, 0.0), voicing], dim=-1)


def _periodicity(
    pieces: Float[Tensor, "batch hops window"],
) -> tuple[Float[Tensor, "batch hops"], Float[Tensor, "batch hops"]]:
    """Frequency (log2 of Hz) and height of the peak of the normalised autocorrelation from 60 to 400 Hz."""
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
