"""The VAE prior of DEEPTalk's Table 4: one latent Gaussian per 2^halvings frames, after FLINT.

Axis names: `batch`, `frames` (25 fps, a multiple of 2^halvings), `coeffs` = 53, `width`, `tokens` = frames /
2^halvings. Sizes and divergence are those of FLINT (Daněček et al. 2023, EMOTE). Differs: the default is two
halvings, not three, so that all priors take the same windows; FLINT's zero-initialised projection before the
last convolution is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn

from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.models.deeptalk.level import Coded, Level, check_frames
from talkcli.engine.nn.latent import Latent
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.nn.temporal import Expand, Squash
from talkcli.engine.types import Config, Dropout, Heads, Width, check_heads


class VaeConfig(Config):
    """Sizes of the VAE."""

    kind: Literal["vae"] = "vae"
    width: Width = 128
    """Width of features and of the latent."""
    heads: Heads = 8
    """Number of attention heads."""
    feedforward: Width = 384
    """Width inside the feed-forward layers."""
    dropout: Dropout = 0.0
    """Dropout in encoder and decoder."""
    halvings: Literal[1, 2, 3] = 2
    """Number of times that the encoder halves the frame rate; 3 in FLINT."""
    standardise: bool = False
    """Standardise each channel by its mean and deviation in the training data."""

    @model_validator(mode="after")
    def _check(self) -> VaeConfig:
        check_heads(self.heads, width=self.width)
        return self


class Vae(nn.Module):
    """The continuous autoencoder of motion; see `Prior`."""

    method = "vae"

    def __init__(self, config: VaeConfig, num_coeffs: int = NUM_COEFFS) -> None:
        super().__init__()
        self.config = config
        self.frames_multiple = 2**config.halvings
        self.levels = (Level(self.frames_multiple, config.width, context=0, discrete=False, name="latent"),)
        width = config.width
        sizes = {"heads": config.heads, "feedforward": config.feedforward, "halvings": config.halvings}
        self.motion_scale = Standardise(num_coeffs)
        self.encoder = Squash(num_coeffs, width, dropout=config.dropout, **sizes)
        self.mean = nn.Linear(width, width)
        self.log_variance = nn.Linear(width, width)
        self.decoder = Expand(width, dropout=config.dropout, **sizes)
        self.smooth = nn.Conv1d(width, num_coeffs, 5, padding=2)

    def forward(
        self, coeffs: Float[Tensor, "batch frames coeffs"], generator: torch.Generator | None = None
    ) -> Coded:
        """Encode and decode. Train mode draws the latents, by default from torch's global generator.
        Evaluation mode draws them only if `generator` is given, and else takes the means.
        """
        latent = self.encode(coeffs)
        vectors = latent.sample(generator) if self.training or generator is not None else latent.mean
        return Coded(self.decode([vectors]), (), latent.divergence())

    def encode(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Latent:
        """Return the latent Gaussians of a motion."""
        check_frames(coeffs.shape[1], self.frames_multiple)
        features = self.encoder(self.motion_scale(coeffs))
        return Latent(self.mean(features), self.log_variance(features))

    def encode_targets(
        self, coeffs: Float[Tensor, "batch frames coeffs"]
    ) -> list[Float[Tensor, "batch tokens width"]]:
        """Return the latent means of a motion."""
        return [self.encode(coeffs).mean]

    def lookup(
        self, level: int, choice: Float[Tensor, "batch tokens width"]
    ) -> Float[Tensor, "batch tokens width"]:
        """Return `choice`: a latent is its own vector."""
        return (choice,)[level]

    def context(self, vectors: Sequence[Tensor]) -> Tensor:
        raise ValueError(f"a VAE has one level; there is none after {len(vectors)}")

    def decode(
        self, vectors: Sequence[Float[Tensor, "batch tokens width"]]
    ) -> Float[Tensor, "batch frames coeffs"]:
        """Return the motion that the latents of the only level encode."""
        (only,) = vectors
        return self.motion_scale.undo(self.smooth(self.decoder(only).transpose(1, 2)).transpose(1, 2))
