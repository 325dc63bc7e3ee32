"""A toy method for `docs/add-a-method.md`: every frame of motion from the sound of that frame alone.

Axis names: `batch`, `samples` (16 kHz), `frames` (25 fps), `coeffs`.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound, hear
from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.types import SAMPLES_PER_FRAME, Config, Width


class ToyConfig(Config):
    """Settings of the toy model."""

    ear: LogMelConfig = LogMelConfig(num_mels=32)
    """The log-mel features that the model hears."""
    width: Width = 32
    """Channels of the hidden layer."""


class Toy(nn.Module):
    """Two linear layers."""

    method = "toy"

    def __init__(self, config: ToyConfig, num_coeffs: int) -> None:
        super().__init__()
        self.config = config
        self.ear = LogMel(config.ear)
        self.inward = nn.Linear(self.ear.steps_per_frame * self.ear.num_channels, config.width)
        self.outward = nn.Linear(config.width, num_coeffs)

    @property
    def ears(self) -> dict[str, Ear]:
        """What training prepares once per clip."""
        return {"log_mel": self.ear}

    def forward(self, sound: Sound) -> Float[Tensor, "batch frames coeffs"]:
        """Give motion for the steps of the log-mel features."""
        steps = sound["log_mel"]
        frames = steps.reshape(len(steps), -1, self.inward.in_features)
        return self.outward(F.gelu(self.inward(frames)))

    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        generator: torch.Generator,
    ) -> Float[Tensor, "batch frames coeffs"]:
        """Give ceil(samples / 640) frames."""
        whole = F.pad(samples, (0, -samples.shape[1] % SAMPLES_PER_FRAME))
        return self(hear(self.ears, whole))
