"""What is said: speech to content at 25 fps, through wav2vec 2.0, heard phones or log-mel features.

Axis names: `batch`, `frames` (25 fps), `width`, `contacts` = 2: the lips on each other (p, b, m), the lower
lip on the upper teeth (f, v). DEEPTalk, section 3.3, step 1 of appendix A.5; all but wav2vec 2.0 is ours.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Discriminator, Tag, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound, Waveform
from talkcli.engine.audio.log_mel import HOPS_PER_FRAME, NUM_PROSODY, LogMel, LogMelConfig
from talkcli.engine.audio.phones import BILABIALS, LABIODENTALS
from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config
from talkcli.engine.models.deeptalk.phones import STEPS_PER_FRAME, SYMBOLS, PhoneEncoder, PhonesConfig
from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.audio_stem import AudioStem
from talkcli.engine.nn.transformer import Transformer
from talkcli.engine.types import Config, Heads, Layers, Width, check_heads

_CONTACTS = tuple([SYMBOLS.index(symbol) for symbol in sorted(group)] for group in (BILABIALS, LABIODENTALS))


class LogMelContentConfig(Config):
    """A convolutional stem and a transformer on log-mel features: nothing to download."""

    kind: Literal["log_mel"] = "log_mel"
    ear: LogMelConfig = LogMelConfig()
    """Must be that of the emotion embedding when it hears log-mel features too."""
    width: Width = 768
    layers: Layers = 12
    heads: Heads = 12
    feedforward: Width = 3072

    @model_validator(mode="after")
    def _check(self) -> LogMelContentConfig:
        check_heads(self.heads, width=self.width)
        return self


class PhoneContentConfig(Config):
    """A trained phone encoder, frozen: it hears new voices as it was taught to, whatever motion says."""

    kind: Literal["phones"] = "phones"
    encoder: PhonesConfig = PhonesConfig()
    """The settings of the phone encoder; those of the model of train-phones replace them."""
    width: Width = 160
    """Between the encoder's steps and the content."""


def _kind(config: Any) -> str:
    """Settings without a kind are of wav2vec 2.0."""
    return config.get("kind", "wav2vec2") if isinstance(config, dict) else getattr(config, "kind", "")


ContentConfig = Annotated[
    Annotated[Wav2vec2Config, Tag("wav2vec2")]
    | Annotated[PhoneContentConfig, Tag("phones")]
    | Annotated[LogMelContentConfig, Tag("log_mel")],
    Discriminator(_kind),
]


class Content(NamedTuple):
    """What is said, and how surely a contact is heard in each frame where the encoder knows phones."""

    features: Float[Tensor, "batch frames width"]
    contacts: Float[Tensor, "batch frames contacts"] | None = None


class PhoneContent(nn.Module):
    """What the phone encoder says in the steps of a frame, with its prosody, as the content of the frame."""

    def __init__(self, config: PhoneContentConfig, width: int, dropout: float) -> None:
        super().__init__()
        self.encoder = PhoneEncoder(config.encoder).requires_grad_(False)
        self.dropout = dropout
        heard = config.encoder.width + len(SYMBOLS)
        self.inward = nn.Linear(STEPS_PER_FRAME * heard + NUM_PROSODY, config.width)
        self.linear = nn.Linear(config.width, width)

    @property
    def ears(self) -> dict[str, Ear]:
        return self.encoder.ears

    def train(self, mode: bool = True) -> PhoneContent:
        """The encoder stays as it was trained, its dropout off."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, sound: Sound) -> Content:
        with torch.no_grad():
            states, logits = self.encoder(sound)
        shares = logits.float().softmax(-1)
        heard = torch.cat([states, shares.to(states)], dim=-1)
        prosody = sound["log_mel"][..., -NUM_PROSODY:]
        inputs = torch.cat([_by_frame(heard, STEPS_PER_FRAME), _mean(prosody)], dim=-1)
        x = F.dropout(F.gelu(self.inward(inputs)), self.dropout, self.training)
        contacts = torch.stack([shares[..., group].sum(-1) for group in _CONTACTS], dim=-1)
        return Content(self.linear(x), contacts.unflatten(1, (-1, STEPS_PER_FRAME)).amax(2))


def _by_frame(steps: Float[Tensor, "batch steps width"], count: int) -> Float[Tensor, "batch frames wider"]:
    """The `count` steps of a frame side by side."""
    return steps.unflatten(1, (-1, count)).flatten(2)


def _mean(hops: Float[Tensor, "batch hops channels"]) -> Float[Tensor, "batch frames channels"]:
    return hops.unflatten(1, (-1, HOPS_PER_FRAME)).mean(2)


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

    def forward(self, sound: Sound) -> Content:
        x = self.stem(sound["log_mel"])
        return Content(
            self.linear(self.transformer(x, distance_bias(self.heads, x.shape[1], device=x.device)))
        )


class Wav2vec2Content(nn.Module):
    """wav2vec 2.0, its convolutions brought to 25 fps."""

    def __init__(self, config: Wav2vec2Config, width: int) -> None:
        super().__init__()
        self.encoder = Wav2vec2(config)
        self.linear = nn.Linear(self.encoder.width, width)

    @property
    def ears(self) -> dict[str, Ear]:
        return {Waveform.name: Waveform()}

    def forward(self, sound: Sound) -> Content:
        """Return the features of `Wav2vec2.trunk` may come in `sound` in the place of the waveform."""
        if "wav2vec2" in sound:
            return Content(self.linear(self.encoder.finish(sound["wav2vec2"])))
        return Content(self.linear(self.encoder(sound[Waveform.name][..., 0])))


def build_content(
    config: Wav2vec2Config | PhoneContentConfig | LogMelContentConfig, width: int, *, dropout: float
) -> Wav2vec2Content | PhoneContent | LogMelContent:
    """Return the encoder that `config` describes, with random weights; gives `width` numbers a frame."""
    if isinstance(config, PhoneContentConfig):
        return PhoneContent(config, width, dropout)
    if isinstance(config, LogMelContentConfig):
        return LogMelContent(config, width, dropout)
    return Wav2vec2Content(config, width)
