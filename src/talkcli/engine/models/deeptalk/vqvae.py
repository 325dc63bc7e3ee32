"""The plain VQ-VAE prior of DEEPTalk's Table 4: one codebook at one rate.

Axis names: `batch`, `frames` (25 fps, a multiple of 2^halvings), `coeffs` = 53, `width`, `codes`; `tokens` =
frames / 2^halvings. Sources: van den Oord et al. 2017, and for motion Learning to Listen (Ng et al. 2022).
DEEPTalk states no sizes, so they are TH-VQVAE's; two halvings give the rate of its top codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float, Int
from pydantic import model_validator
from torch import Tensor, nn

from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.models.deeptalk.level import Coded, Level, check_frames
from talkcli.engine.nn.quantizer import EmaQuantizer, QuantizerConfig
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.nn.temporal import Expand, Squash
from talkcli.engine.types import Dropout, Heads, Width, check_heads


class VqvaeConfig(QuantizerConfig):
    """Sizes of the VQ-VAE, and settings of its codebook."""

    kind: Literal["vqvae"] = "vqvae"
    width: Width = 128
    """Width of features and of code vectors."""
    heads: Heads = 8
    """Number of attention heads."""
    feedforward: Width = 256
    """Width inside the feed-forward layers."""
    dropout: Dropout = 0.1
    """Dropout in encoder and decoder."""
    halvings: Literal[1, 2, 3] = 2
    """Number of times that the encoder halves the frame rate."""
    standardise: bool = False
    """Standardise each channel by its mean and deviation in the training data."""

    @model_validator(mode="after")
    def _check(self) -> VqvaeConfig:
        check_heads(self.heads, width=self.width)
        return self


class Vqvae(nn.Module):
    """The one-level autoencoder of motion; see `Prior`."""

    method = "vqvae"

    def __init__(self, config: VqvaeConfig, num_coeffs: int = NUM_COEFFS) -> None:
        super().__init__()
        self.config = config
        self.frames_multiple = 2**config.halvings
        self.levels = (Level(self.frames_multiple, config.codes, context=0, discrete=True, name="code"),)
        width = config.width
        sizes = {"heads": config.heads, "feedforward": config.feedforward, "halvings": config.halvings}
        self.motion_scale = Standardise(num_coeffs)
        self.encoder = Squash(num_coeffs, width, dropout=config.dropout, **sizes)
        self.quantizer = EmaQuantizer(width, config)
        self.decoder = Expand(width, dropout=config.dropout, **sizes)
        self.smooth = nn.Conv1d(width, num_coeffs, 5, padding=2)

    def forward(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Coded:
        """Encode, quantise and decode; train mode updates the codebook."""
        made = self.quantizer(self._features(coeffs))
        return Coded(self.decode([made.vectors]), (made.codes,), made.commitment)

    def encode_targets(
        self, coeffs: Float[Tensor, "batch frames coeffs"]
    ) -> list[Int[Tensor, "batch tokens"]]:
        """Return the codes of a motion, without updating the codebook."""
        return [self.quantizer.nearest(self._features(coeffs))]

    def lookup(
        self, level: int, choice: Float[Tensor, "batch tokens codes"]
    ) -> Float[Tensor, "batch tokens width"]:
        """Return the code vectors of one-hot (or soft) choices, differentiably."""
        return (self.quantizer,)[level].lookup(choice)

    def context(self, vectors: Sequence[Tensor]) -> Tensor:
        raise ValueError(f"a VQ-VAE has one level; there is none after {len(vectors)}")

    def decode(
        self, vectors: Sequence[Float[Tensor, "batch tokens width"]]
    ) -> Float[Tensor, "batch frames coeffs"]:
        """Return the motion that the vectors of the only level encode."""
        (only,) = vectors
        return self.motion_scale.undo(self.smooth(self.decoder(only).transpose(1, 2)).transpose(1, 2))

    def _features(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Float[Tensor, "batch tokens width"]:
        check_frames(coeffs.shape[1], self.frames_multiple)
        return self.encoder(self.motion_scale(coeffs))
