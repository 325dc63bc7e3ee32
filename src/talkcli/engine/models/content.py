"""What is said: speech to content at 25 fps, through wav2vec 2.0 or through log-mel features.

Axis names: `batch`, `frames` (25 fps), `width`. DEEPTalk, section 3.3, step 1 of appendix A.5; the log-mel
encoder is ours.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from jaxtyping import Float
from pydantic import Discriminator, Tag
from torch import Tensor, nn

from talkcli.engine.audio.ear import Ear, Sound, Waveform
from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config
from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.audio_stem import AudioStem
from talkcli.engine.nn.transformer import Transformer
from talkcli.engine.types import Config


class LogMelContentConfig(Config):
    """A convolutional stem and a transformer on log-mel features: nothing to download."""

    kind: Literal["log_mel"] = "log_mel"
    ear: LogMelConfig = LogMelConfig()
    """Must be that of the emotion embedding when it hears log-mel features too."""
    width: int = 768
    layers: int = 12
    heads: int = 12
    feedforward: int = 3072


def _kind(config: Any) -> str:
    """Settings without a kind are of wav2vec 2.0."""
    return config.get("kind", "wav2vec2") if isinstance(config, dict) else getattr(config, "kind", "")


ContentConfig = Annotated[
    Annotated[Wav2vec2Config, Tag("wav2vec2")] | Annotated[LogMelContentConfig, Tag("log_mel")],
    Discriminator(_kind),
]


class LogMelContent(nn.Module):
    """A convolutional stem and a transformer at 25 fps."""

    def __init__(self, config: LogMelContentConfig, width: int, dropout: float) -> None:
        super().__init__()
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
        self.linear = nn.Linear(config.width, width)

    @property
    def ears(self) -> dict[str, Ear]:
        return {"log_mel": self.ear}

    def forward(self, sound: Sound) -> Float[Tensor, "batch frames width"]:
        x = self.stem(sound["log_mel"])
        return self.linear(self.transformer(x, distance_bias(self.heads, x.shape[1], device=x.device)))


class Wav2vec2Content(nn.Module):
    """wav2vec 2.0, its convolutions brought to 25 fps."""

    def __init__(self, config: Wav2vec2Config, width: int) -> None:
        super().__init__()
        self.encoder = Wav2vec2(config)
        self.linear = nn.Linear(self.encoder.width, width)

    @property
    def ears(self) -> dict[str, Ear]:
        return {Waveform.name: Waveform()}

    def forward(self, sound: Sound) -> Float[Tensor, "batch frames width"]:
        """The features of `Wav2vec2.trunk` may come in `sound` in the place of the waveform."""
        if "wav2vec2" in sound:
            return self.linear(self.encoder.finish(sound["wav2vec2"]))
        return self.linear(self.encoder(sound[Waveform.name][..., 0]))


def build_content(
    config: Wav2vec2Config | LogMelContentConfig, width: int, *, dropout: float
) -> Wav2vec2Content | LogMelContent:
    """The encoder that `config` describes, with random weights; gives `width` numbers a frame."""
    if isinstance(config, LogMelContentConfig):
        return LogMelContent(config, width, dropout)
    return Wav2vec2Content(config, width)
