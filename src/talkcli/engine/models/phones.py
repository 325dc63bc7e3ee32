"""The phone encoder: it predicts the phone of each step of 20 ms from log-mel features.

Axis names: `batch`, `hops` (100 Hz), `steps` (50 Hz, two per frame), `width`, `phones` = 40. It is a dilated
convolutional network (the time-delay network of Waibel et al. 1989, in the residual form of later acoustic
models). This is ours: the embedded model uses it where DEEPTalk uses wav2vec 2.0, and it is small enough to
train on a laptop.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.audio.log_mel import HOPS_PER_FRAME, LogMel, LogMelConfig
from talkcli.engine.audio.phones import PHONES
from talkcli.engine.types import SILENCE, Config, Dropout, Kernel, Layers, Width

# Classes of the encoder, silence first.
SYMBOLS = (SILENCE, *sorted(PHONES))
# Steps per frame of 25 fps, and per second.
STEPS_PER_FRAME = 2
STEP_HZ = 50
# Hops (100 Hz) per step.
_HOPS = HOPS_PER_FRAME // STEPS_PER_FRAME
assert STEPS_PER_FRAME * _HOPS == HOPS_PER_FRAME


class PhonesConfig(Config):
    """Sizes of the phone encoder; the defaults are those of the embedded model."""

    ear: LogMelConfig = LogMelConfig(num_mels=64)
    """Log-mel features; if a generator's emotion embedding also uses them, its settings must be equal."""
    width: Width = 192
    """Number of channels."""
    layers: Layers = 10
    """Number of residual layers."""
    dilations: Annotated[tuple[Kernel, ...], Field(min_length=1, max_length=64)] = (1, 2, 4, 8)
    """Dilations of the convolutions in steps, repeated in turn; ten layers reach 0.7 s to either side."""
    dropout: Dropout = 0.1
    """Dropout after each layer."""


class HeardPhones(NamedTuple):
    """States and logits of the phone encoder at each step."""

    states: Float[Tensor, "batch steps width"]
    logits: Float[Tensor, "batch steps phones"]


class PhoneEncoder(nn.Module):
    """Network from log-mel features to phones."""

    method = "phones"

    def __init__(self, config: PhonesConfig) -> None:
        super().__init__()
        self.config = config
        self.ear = LogMel(config.ear)
        width = config.width
        self.inward = nn.Conv1d(self.ear.num_channels, width, kernel_size=5, padding=2)
        self.halve = nn.Conv1d(width, width, kernel_size=4, stride=_HOPS, padding=1)
        self.layers = nn.ModuleList(
            _Layer(width, config.dilations[index % len(config.dilations)], config.dropout)
            for index in range(config.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.outward = nn.Linear(width, len(SYMBOLS))

    @property
    def ears(self) -> dict[str, Ear]:
        return {"log_mel": self.ear}

    def forward(self, sound: Sound) -> HeardPhones:
        """Encode an even number of hops; step k is centred on hops 2 k and 2 k + 1."""
        x = _without_channel(sound["log_mel"], self.config.ear.num_mels)
        x = F.gelu(self.inward(x.transpose(1, 2)))
        x = F.gelu(self.halve(x)).transpose(1, 2)
        for layer in self.layers:
            x = layer(x)
        states = self.norm(x)
        return HeardPhones(states, self.outward(states))


def _without_channel(
    hops: Float[Tensor, "batch hops channels"], bands: int
) -> Float[Tensor, "batch hops channels"]:
    """Return every mel band minus its mean over time, weighted by loudness.

    Microphones, rooms and voices add a constant to the logarithm of a band, which this removes (cepstral mean
    subtraction, Atal 1974).
    """
    mel, prosody = hops[..., :bands], hops[..., bands:]
    # The lowest value of the features is -1, so silence has weight 0.
    loud = (mel + 1).mean(-1, keepdim=True)
    mean = (mel * loud).sum(1, keepdim=True) / loud.sum(1, keepdim=True).clamp_min(1e-3)
    return torch.cat([mel - mean, prosody], dim=-1)


class _Layer(nn.Module):
    """Residual layer of a dilated convolution over three steps and a projection."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.convolve = nn.Conv1d(width, width, kernel_size=3, padding=dilation, dilation=dilation)
        self.project = nn.Linear(width, width)
        self.dropout = dropout

    def forward(self, x: Float[Tensor, "batch steps width"]) -> Float[Tensor, "batch steps width"]:
        seen = F.gelu(self.convolve(self.norm(x).transpose(1, 2))).transpose(1, 2)
        return x + F.dropout(self.project(seen), self.dropout, self.training)
