"""Logits over the 29 classes of DeepSpeech, which VOCA hears, and what may stand in for them.

Axis names: `batch`, `frames` (25 fps), `steps` (50 Hz), `classes` = 29, `phones` = 40. Source of the classes:
DeepSpeech 0.1 (facts H.7): space, the letters, the apostrophe, and the blank of connectionist temporal
classification (Graves et al. 2006).
"""

from __future__ import annotations

from functools import cache
from string import ascii_lowercase
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from pydantic import Discriminator, Tag
from torch import Tensor, nn

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.audio.log_mel_encoder import LogMelEncoder, LogMelEncoderConfig
from talkcli.engine.models.phones import STEPS_PER_FRAME, SYMBOLS, PhoneEncoder, PhonesConfig
from talkcli.engine.types import SILENCE, Config

BLANK = "_"
CLASSES = (" ", *ascii_lowercase, "'", BLANK)
# How each phone is spelt in the stand-in: its probability is shared by these letters.
_SPELT = {
    SILENCE: f" {BLANK}", "AA": "o", "AE": "a", "AH": "u", "AO": "o", "AW": "ow", "AY": "i", "B": "b",
    "CH": "ch", "D": "d", "DH": "th", "EH": "e", "ER": "er", "EY": "a", "F": "f", "G": "g", "HH": "h",
    "IH": "i", "IY": "e", "JH": "j", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ng",
    "OW": "o", "OY": "oy", "P": "p", "R": "r",
    "S": "s", "SH": "sh", "T": "t", "TH": "th", "UH": "u", "UW": "u", "V": "v", "W": "w", "Y": "y", "Z": "z",
    "ZH": "s",
}  # fmt: skip
# Probability that a class has at least, so that its logarithm is finite.
_LEAST = 1e-4


class GivenLogitsConfig(Config):
    """Logits that the user gives with the speech, as for a published model."""

    kind: Literal["logits"] = "logits"


class PhoneLogitsConfig(Config):
    """A frozen phone encoder whose probabilities stand in for logits."""

    kind: Literal["phones"] = "phones"
    encoder: PhonesConfig = PhonesConfig()
    """Settings of the phone encoder; those of the given train-phones model replace them."""


def _kind(config: Any) -> str:
    return config.get("kind", "logits") if isinstance(config, dict) else getattr(config, "kind", "")


LogitsConfig = Annotated[
    Annotated[GivenLogitsConfig, Tag("logits")]
    | Annotated[PhoneLogitsConfig, Tag("phones")]
    | Annotated[LogMelEncoderConfig, Tag("log_mel")],
    Discriminator(_kind),
]


class PhoneLogits(nn.Module):
    """The stand-in: logarithms of a phone encoder's probabilities, shared by the letters of each phone."""

    steps_per_frame = STEPS_PER_FRAME

    def __init__(self, config: PhonesConfig) -> None:
        super().__init__()
        self.encoder = PhoneEncoder(config).requires_grad_(False)

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of the phone encoder."""
        return self.encoder.ears

    def train(self, mode: bool = True) -> PhoneLogits:
        """Set train mode, except that the phone encoder stays in evaluation mode, without dropout."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, sound: Sound) -> Float[Tensor, "batch steps classes"]:
        """Return logits for the steps of the sound."""
        with torch.no_grad():
            shares = self.encoder(sound).logits.float().softmax(-1)
        return spelt(shares)


class LearntLogits(nn.Module):
    """A small log-mel encoder that learns with the model what it hears in place of logits, at 25 fps."""

    steps_per_frame = 1

    def __init__(self, config: LogMelEncoderConfig) -> None:
        super().__init__()
        self.encoder = LogMelEncoder(config, dropout=0.0)
        self.linear = nn.Linear(config.width, len(CLASSES))

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of the encoder."""
        return self.encoder.ears

    def forward(self, sound: Sound) -> Float[Tensor, "batch frames classes"]:
        """Return a value per class for every frame."""
        return self.linear(self.encoder.encoded(sound))


def build_logits(config: LogitsConfig) -> PhoneLogits | LearntLogits | None:
    """Return what hears logits in speech; None where they are given."""
    if isinstance(config, PhoneLogitsConfig):
        return PhoneLogits(config.encoder)
    return LearntLogits(config) if isinstance(config, LogMelEncoderConfig) else None


def spelt(shares: Float[Tensor, "batch steps phones"]) -> Float[Tensor, "batch steps classes"]:
    """Return the stand-in for logits of the probabilities of phones, ordered as `SYMBOLS`."""
    return (shares @ _spelling().to(shares)).clamp_min(_LEAST).log()


@cache
def _spelling() -> Float[Tensor, "phones classes"]:
    """Return the share of each letter in each phone; rows sum to one."""
    shares = torch.zeros(len(SYMBOLS), len(CLASSES))
    for row, symbol in enumerate(SYMBOLS):
        for letter in _SPELT[symbol]:
            shares[row, CLASSES.index(letter)] += 1 / len(_SPELT[symbol])
    return shares
