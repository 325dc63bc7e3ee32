"""TH-VQVAE, the motion prior: facial motion as two levels of discrete codes.

Axis names: `batch`, `frames` (25 fps, a multiple of 4), `coeffs` = 53, `width`, `codes`; `top` = frames / 4
and `bottom` = frames / 2 tokens. Source: DEEPTalk, section 3.2 and appendix A.4, with the released sizes as
defaults. Differs: the model can standardise coefficients (ARKit-like channels differ in scale from FLAME's).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float, Int
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.models.deeptalk.level import Coded, Level, check_frames
from talkcli.engine.nn.quantizer import EmaQuantizer, QuantizerConfig
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.nn.temporal import Expand, Squash
from talkcli.engine.types import Dropout, Heads, Width, check_heads

# Frames (25 fps) per top token and per bottom token.
FRAMES_PER_TOP = 4
FRAMES_PER_BOTTOM = 2


class ThVqvaeConfig(QuantizerConfig):
    """Sizes of the prior and settings of both codebooks; the defaults are those of the released model."""

    kind: Literal["th_vqvae"] = "th_vqvae"
    width: Width = 128
    """Width of top vectors; bottom vectors are twice as wide."""
    heads: Heads = 8
    """Number of attention heads."""
    feedforward: Width = 256
    """Width inside the feed-forward layers of the encoders and the top decoder."""
    decoder_feedforward: Width = 512
    """Width inside the feed-forward layers of the bottom decoder."""
    dropout: Dropout = 0.1
    """Dropout in encoders and decoders."""
    standardise: bool = False
    """Standardise each channel by its mean and deviation in the training data."""

    @model_validator(mode="after")
    def _check(self) -> ThVqvaeConfig:
        check_heads(self.heads, width=self.width)
        return self


class ThVqvae(nn.Module):
    """The two-level autoencoder of motion; see `Prior`."""

    method = "th_vqvae"
    frames_multiple = FRAMES_PER_TOP

    def __init__(self, config: ThVqvaeConfig, num_coeffs: int = NUM_COEFFS) -> None:
        super().__init__()
        self.config = config
        self.levels = (
            Level(FRAMES_PER_TOP, config.codes, context=0, discrete=True, name="top"),
            Level(FRAMES_PER_BOTTOM, config.codes, context=config.width, discrete=True, name="bottom"),
        )
        width, heads, dropout = config.width, config.heads, config.dropout
        squash = partial(Squash, heads=heads, feedforward=config.feedforward, dropout=dropout)
        expand = partial(Expand, heads=heads, dropout=dropout)
        self.motion_scale = Standardise(num_coeffs)
        self.encoder_bottom = squash(num_coeffs, width)
        self.encoder_top = squash(width, width)
        self.quantizer_top = EmaQuantizer(width, config)
        self.decoder_top = expand(width, feedforward=config.feedforward)
        self.quantizer_bottom = EmaQuantizer(2 * width, config)
        self.upsample_top = nn.ConvTranspose1d(width, width, 4, stride=2, padding=1)
        self.decoder_bottom = expand(3 * width, feedforward=config.decoder_feedforward)
        self.smooth = nn.Conv1d(3 * width, num_coeffs, 5, padding=2)

    def forward(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Coded:
        """Encode, quantise and decode; train mode updates the codebooks."""
        features = self._features(coeffs)
        top = self.quantizer_top(self.encoder_top(features))
        bottom = self.quantizer_bottom(torch.cat([self.context([top.vectors]), features], dim=-1))
        return Coded(
            self.decode([top.vectors, bottom.vectors]),
            (top.codes, bottom.codes),
            top.commitment + bottom.commitment,
        )

    def encode_targets(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> list[Int[Tensor, "batch _"]]:
        """Return the top and bottom codes of a motion, without updating the codebooks."""
        features = self._features(coeffs)
        top = self.quantizer_top.nearest(self.encoder_top(features))
        decoded = self.context([F.embedding(top, self.quantizer_top.codebook)])
        return [top, self.quantizer_bottom.nearest(torch.cat([decoded, features], dim=-1))]

    def lookup(
        self, level: int, choice: Float[Tensor, "batch tokens codes"]
    ) -> Float[Tensor, "batch tokens width"]:
        """Return the code vectors of one-hot (or soft) choices of a level, differentiably."""
        return (self.quantizer_top, self.quantizer_bottom)[level].lookup(choice)

    def context(
        self, vectors: Sequence[Float[Tensor, "batch top width"]]
    ) -> Float[Tensor, "batch bottom width"]:
        """Return what the top vectors alone decode to, at the rate of the bottom tokens."""
        if len(vectors) > 1:
            raise ValueError(f"TH-VQVAE has two levels; there is none after {len(vectors)}")
        return self.decoder_top(vectors[0])

    def decode(self, vectors: Sequence[Float[Tensor, "batch _ _"]]) -> Float[Tensor, "batch frames coeffs"]:
        """Return the motion that the vectors of both levels encode."""
        top, bottom = vectors
        upsampled = self.upsample_top(top.transpose(1, 2)).transpose(1, 2)
        expanded = self.decoder_bottom(torch.cat([upsampled, bottom], dim=-1))
        return self.motion_scale.undo(self.smooth(expanded.transpose(1, 2)).transpose(1, 2))

    def _features(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Float[Tensor, "batch bottom width"]:
        check_frames(coeffs.shape[1], self.frames_multiple)
        return self.encoder_bottom(self.motion_scale(coeffs))
