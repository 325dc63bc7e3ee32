"""A compact encoder of speech that needs no download: convolutions and a transformer on log-mel features.

Axis names: `batch`, `frames` (25 fps), `width`. This is ours: it stands where published methods have a large
pre-trained network.
"""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.audio_stem import AudioStem
from talkcli.engine.nn.transformer import Transformer
from talkcli.engine.types import Config, Heads, Layers, Width, check_heads


class LogMelEncoderConfig(Config):
    """Settings of a convolutional stem and a transformer on log-mel features, which need no download."""

    kind: Literal["log_mel"] = "log_mel"
    ear: LogMelConfig = LogMelConfig()
    """Log-mel features; if another part of the model also uses log-mel features, its settings must be
    equal."""
    width: Width = 768
    """Width of stem and transformer."""
    layers: Layers = 12
    """Number of transformer layers."""
    heads: Heads = 12
    """Number of attention heads."""
    feedforward: Width = 3072
    """Width inside the feed-forward layers."""

    @model_validator(mode="after")
    def _check(self) -> LogMelEncoderConfig:
        check_heads(self.heads, width=self.width)
        return self


class LogMelEncoder(nn.Module):
    """Convolutions that bring log-mel features to 25 fps, then a transformer over all frames."""

    def __init__(self, config: LogMelEncoderConfig, dropout: float) -> None:
        """Build the encoder; `dropout` is that of all its parts, in training."""
        super().__init__()
        self.width = config.width
        self.heads = config.heads
        self.ear = LogMel(config.ear)
        self.stem = AudioStem(self.ear.num_channels, config.width, halvings=2, dropout=dropout)
        self.transformer = Transformer(
            config.width,
            layers=config.layers,
            heads=config.heads,
            feedforward=config.feedforward,
            dropout=dropout,
        )

    @property
    def ears(self) -> dict[str, Ear]:
        """The front-end that the encoder reads."""
        return {"log_mel": self.ear}

    def encoded(self, sound: Sound) -> Float[Tensor, "batch frames width"]:
        """Return the features of every frame of 25 fps."""
        x = self.stem(sound["log_mel"])
        return self.transformer(x, distance_bias(self.heads, x.shape[1], device=x.device))
