"""Content encoders: speech to content features at 25 fps, from wav2vec 2.0, phones or log-mel features.

Axis names: `batch`, `frames` (25 fps), `width`, `contacts` = 2: the lips on each other (p, b, m), the lower
lip on the upper teeth (f, v); `steps` (50 Hz), `lingual` = 4: the tongue's sounds (`LINGUALS`). Source:
DEEPTalk, section 3.3, and step 1 of appendix A.5; the paper has only wav2vec 2.0; other encoders are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Discriminator, Tag
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound, Waveform
from talkcli.engine.audio.log_mel import HOPS_PER_FRAME, NUM_PROSODY
from talkcli.engine.audio.log_mel_encoder import LogMelEncoder, LogMelEncoderConfig
from talkcli.engine.audio.phones import BILABIALS, LABIODENTALS, LINGUALS
from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config
from talkcli.engine.models.phones import STEPS_PER_FRAME, SYMBOLS, PhoneEncoder, PhonesConfig
from talkcli.engine.types import Config, Width

# Indices in `SYMBOLS` of the phones of each contact, and of each sound of the tongue.
_CONTACTS, _LINGUAL = (
    tuple([SYMBOLS.index(symbol) for symbol in sorted(group)] for group in groups)
    for groups in ((BILABIALS, LABIODENTALS), LINGUALS)
)


class PhoneContentConfig(Config):
    """Settings of a frozen phone encoder: training a generator cannot harm its accuracy on new voices."""

    kind: Literal["phones"] = "phones"
    encoder: PhonesConfig = PhonesConfig()
    """Settings of the phone encoder; those of the given train-phones model replace them."""
    width: Width = 160
    """Width of the layer between the encoder's steps and the content."""


def _kind(config: Any) -> str:
    """Return the kind of content settings; without one they are those of wav2vec 2.0."""
    return config.get("kind", "wav2vec2") if isinstance(config, dict) else getattr(config, "kind", "")


ContentConfig = Annotated[
    Annotated[Wav2vec2Config, Tag("wav2vec2")]
    | Annotated[PhoneContentConfig, Tag("phones")]
    | Annotated[LogMelEncoderConfig, Tag("log_mel")],
    Discriminator(_kind),
]


class Content(NamedTuple):
    """Output of a content encoder."""

    features: Float[Tensor, "batch frames width"]
    contacts: Float[Tensor, "batch frames contacts"] | None = None
    """Probability of each contact in a frame; None unless the encoder predicts phones."""
    lingual: Float[Tensor, "batch steps lingual"] | None = None
    """Probability of each sound of the tongue in a step; None unless the encoder predicts phones."""
    phones: Float[Tensor, "batch steps phones"] | None = None
    """Probability of each of `SYMBOLS` in a step; None unless the encoder predicts phones."""


class PhoneContent(nn.Module):
    """Content encoder that projects the phone encoder's steps of a frame and the frame's mean prosody."""

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
        """Set train mode, except that the phone encoder stays in evaluation mode, without dropout."""
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
        contacts = _summed(shares, _CONTACTS).unflatten(1, (-1, STEPS_PER_FRAME)).amax(2)
        return Content(self.linear(x), contacts, _summed(shares, _LINGUAL), shares)


def _summed(
    shares: Float[Tensor, "batch steps phones"], groups: Sequence[list[int]]
) -> Float[Tensor, "batch steps groups"]:
    """Return the probability of each group of phones."""
    return torch.stack([shares[..., group].sum(-1) for group in groups], dim=-1)


def _by_frame(steps: Float[Tensor, "batch steps width"], count: int) -> Float[Tensor, "batch frames wider"]:
    """Return each frame as the concatenation of its `count` steps."""
    return steps.unflatten(1, (-1, count)).flatten(2)


def _mean(hops: Float[Tensor, "batch hops channels"]) -> Float[Tensor, "batch frames channels"]:
    return hops.unflatten(1, (-1, HOPS_PER_FRAME)).mean(2)


class LogMelContent(LogMelEncoder):
    """Content encoder of a convolutional stem and a transformer at 25 fps, on log-mel features."""

    def __init__(self, config: LogMelEncoderConfig, width: int, dropout: float) -> None:
        super().__init__(config, dropout)
        self.linear = nn.Linear(config.width, width)

    def forward(self, sound: Sound) -> Content:
        return Content(self.linear(self.encoded(sound)))


class Wav2vec2Content(nn.Module):
    """Content encoder by wav2vec 2.0, which resamples the output of its convolutions to 25 fps."""

    def __init__(self, config: Wav2vec2Config, width: int) -> None:
        super().__init__()
        self.encoder = Wav2vec2(config)
        self.linear = nn.Linear(self.encoder.width, width)

    @property
    def ears(self) -> dict[str, Ear]:
        return {Waveform.name: Waveform()}

    def forward(self, sound: Sound) -> Content:
        """Return the content; `sound` may hold features of `Wav2vec2.trunk` in place of the waveform."""
        if "wav2vec2" in sound:
            return Content(self.linear(self.encoder.finish(sound["wav2vec2"])))
        return Content(self.linear(self.encoder(sound[Waveform.name][..., 0])))


def build_content(
    config: Wav2vec2Config | PhoneContentConfig | LogMelEncoderConfig, width: int, *, dropout: float
) -> Wav2vec2Content | PhoneContent | LogMelContent:
    """Return the content encoder that `config` describes, with random weights.

    Args:
        config: Settings of the encoder.
        width: Number of features per frame of the content.
        dropout: Dropout of the encoders other than wav2vec 2.0, which has its own.
    """
    if isinstance(config, PhoneContentConfig):
        return PhoneContent(config, width, dropout)
    if isinstance(config, LogMelEncoderConfig):
        return LogMelContent(config, width, dropout)
    return Wav2vec2Content(config, width)
