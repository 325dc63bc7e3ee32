"""TH-VQVAE, the motion prior: facial motion as two levels of discrete codes.

Axis names: `batch`, `frames` (25 fps, a multiple of 4), `coeffs` = 53, `width`, `codes`; `top` = frames / 4
and `bottom` = frames / 2 tokens. DEEPTalk, section 3.2 and appendix A.4; the defaults are the released sizes.
Differs: coefficients may be standardised inside (ARKit-like channels live on different scales than FLAME's),
and codebooks start on data and revive dead codes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.quantizer import EmaQuantizer
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.nn.transformer import Transformer
from talkcli.engine.types import Config

FRAMES_PER_TOP = 4
FRAMES_PER_BOTTOM = 2


class ThVqvaeConfig(Config):
    """Sizes; the defaults are those of the released model."""

    width: int = 128
    heads: int = 8
    feedforward: int = 256
    decoder_feedforward: int = 512
    codes: int = 256
    """Entries of either codebook."""
    dropout: float = 0.1
    decay: float = 0.95
    """Of the codebooks' moving averages."""
    commitment: float = 0.25
    revive_below: float = 0.0
    """Running count under which a code is placed anew; 0 never, as released."""
    standardise: bool = False
    """Scale channels by the training data's mean and deviation."""


class Coded(NamedTuple):
    """A reconstruction with its codes and the pull of the encoder to them."""

    coeffs: Float[Tensor, "batch frames coeffs"]
    top: Int[Tensor, "batch top"]
    bottom: Int[Tensor, "batch bottom"]
    commitment: Float[Tensor, ""]


class _Squash(nn.Module):
    """Halves the frame rate: convolution, then attention."""

    def __init__(self, channels: int, config: ThVqvaeConfig) -> None:
        super().__init__()
        width = config.width
        self.conv = nn.Conv1d(channels, width, 5, stride=2, padding=2, padding_mode="replicate")
        self.norm = nn.BatchNorm1d(width)
        self.linear = nn.Linear(width, width)
        self.attention = _attention(width, config.feedforward, config)

    def forward(self, x: Float[Tensor, "batch frames channels"]) -> Float[Tensor, "batch half width"]:
        x = self.norm(F.leaky_relu(self.conv(x.transpose(1, 2)), 0.2)).transpose(1, 2)
        return _attend(self.attention, self.linear(x))


class _Expand(nn.Module):
    """Doubles the frame rate: transposed convolution, then attention."""

    def __init__(self, width: int, feedforward: int, config: ThVqvaeConfig) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose1d(width, width, 5, stride=2, padding=2, output_padding=1)
        self.norm = nn.BatchNorm1d(width)
        self.linear = nn.Linear(width, width)
        self.attention = _attention(width, feedforward, config)

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch double width"]:
        x = self.norm(F.leaky_relu(self.conv(x.transpose(1, 2)), 0.2)).transpose(1, 2)
        return _attend(self.attention, self.linear(x))


class ThVqvae(nn.Module):
    """The two-level autoencoder of motion."""

    method = "th_vqvae"

    def __init__(self, config: ThVqvaeConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.motion_scale = Standardise(NUM_COEFFS)
        self.encoder_bottom = _Squash(NUM_COEFFS, config)
        self.encoder_top = _Squash(width, config)
        self.quantizer_top = _quantizer(width, config)
        self.decoder_top = _Expand(width, config.feedforward, config)
        self.quantizer_bottom = _quantizer(2 * width, config)
        self.upsample_top = nn.ConvTranspose1d(width, width, 4, stride=2, padding=1)
        self.decoder_bottom = _Expand(3 * width, config.decoder_feedforward, config)
        self.smooth = nn.Conv1d(3 * width, NUM_COEFFS, 5, padding=2)

    def forward(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Coded:
        """Encode, quantise and decode. In train mode the codebooks move."""
        bottom_features = self.encoder_bottom(self._scaled(coeffs))
        top = self.quantizer_top(self.encoder_top(bottom_features))
        joint = torch.cat([self.decode_top(top.vectors), bottom_features], dim=-1)
        bottom = self.quantizer_bottom(joint)
        return Coded(
            self.decode(top.vectors, bottom.vectors),
            top.codes,
            bottom.codes,
            top.commitment + bottom.commitment,
        )

    def decode_top(self, top: Float[Tensor, "batch top width"]) -> Float[Tensor, "batch bottom width"]:
        """What the top vectors alone say, at the bottom's rate."""
        return self.decoder_top(top)

    def decode(
        self, top: Float[Tensor, "batch top width"], bottom: Float[Tensor, "batch bottom double"]
    ) -> Float[Tensor, "batch frames coeffs"]:
        """Motion from code vectors of both levels."""
        upsampled = self.upsample_top(top.transpose(1, 2)).transpose(1, 2)
        expanded = self.decoder_bottom(torch.cat([upsampled, bottom], dim=-1))
        coeffs = self.smooth(expanded.transpose(1, 2)).transpose(1, 2)
        return self.motion_scale.undo(coeffs)

    def _scaled(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Float[Tensor, "batch frames coeffs"]:
        if coeffs.shape[1] % FRAMES_PER_TOP:
            raise ValueError(f"{coeffs.shape[1]} frames are not a multiple of {FRAMES_PER_TOP}; pad first")
        return self.motion_scale(coeffs)


def _quantizer(width: int, config: ThVqvaeConfig) -> EmaQuantizer:
    return EmaQuantizer(
        config.codes,
        width,
        decay=config.decay,
        commitment=config.commitment,
        revive_below=config.revive_below,
    )


def _attention(width: int, feedforward: int, config: ThVqvaeConfig) -> Transformer:
    return Transformer(width, layers=1, heads=config.heads, feedforward=feedforward, dropout=config.dropout)


def _attend(
    attention: Transformer, x: Float[Tensor, "batch frames width"]
) -> Float[Tensor, "batch frames width"]:
    heads = attention.layers[0].heads
    return attention(x, distance_bias(heads, x.shape[1], device=x.device))  # type: ignore[arg-type]
