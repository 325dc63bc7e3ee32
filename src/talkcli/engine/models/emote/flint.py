"""FLINT: a variational autoencoder of motion, with one latent Gaussian for every 8 frames.

Axis names: `batch`, `frames` (25 fps, a multiple of 8), `coeffs` of a head's frame, `components` that the
network itself makes (`coeffs` and those that talk drops), `tokens` = frames / 8, `width`. Source: EMOTE
(Daněček et al. 2023), facts H.6.
"""

from __future__ import annotations

from typing import Annotated, Any

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from talkcli.engine.face.channels import JAW, NUM_COEFFS
from talkcli.engine.models.deeptalk.level import Coded, Level, check_frames
from talkcli.engine.nn.latent import Latent
from talkcli.engine.nn.temporal import Expand, Squash
from talkcli.engine.types import Config, Dropout, Heads, Width, check_heads

# Number of times that the encoder halves the frame rate, and number of frames of a latent.
_HALVINGS = 3
FRAMES_PER_LATENT = 2**_HALVINGS


class FlintConfig(Config):
    """Sizes of the autoencoder; the defaults are those of the released one."""

    width: Width = 128
    """Width of features and of the latent."""
    heads: Heads = 8
    """Number of attention heads."""
    feedforward: Width = 384
    """Width inside the feed-forward layers."""
    dropout: Dropout = 0.0
    """Dropout in encoder and decoder."""
    more_expressions: Annotated[int, Field(ge=0, le=1000)] = 0
    """Components of expression beyond the head's, between these and the jaw, which the network makes and talk
    drops: 50 for a released model of FLAME's first 100 components, of which talk's head has 50."""

    @model_validator(mode="after")
    def _check(self) -> FlintConfig:
        check_heads(self.heads, width=self.width)
        return self


class FlintEncoder(nn.Module):
    """Motion to Gaussians."""

    def __init__(self, config: FlintConfig, num_values: int) -> None:
        super().__init__()
        self.more = config.more_expressions
        width = config.width
        self.squash = Squash(num_values + self.more, width, halvings=_HALVINGS, **_sizes(config))
        self.mean = nn.Linear(width, width)
        self.log_variance = nn.Linear(width, width)

    def forward(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Latent:
        """Return the Gaussians of a motion. Raises ValueError for frames that are no multiple of 8."""
        check_frames(coeffs.shape[1], FRAMES_PER_LATENT)
        if self.more:
            expressions, jaw = coeffs[..., : -len(JAW)], coeffs[..., -len(JAW) :]
            coeffs = torch.cat([expressions, coeffs.new_zeros(*coeffs.shape[:2], self.more), jaw], dim=-1)
        return self.whole(coeffs)

    def whole(self, components: Float[Tensor, "batch frames components"]) -> Latent:
        """Return the Gaussians of motion with all components of the network."""
        features = self.squash(components)
        return Latent(self.mean(features), self.log_variance(features))


class FlintDecoder(nn.Module):
    """Latents to motion; the part of FLINT that EMOTE builds on."""

    def __init__(self, config: FlintConfig, num_values: int) -> None:
        super().__init__()
        self.more = config.more_expressions
        width = config.width
        self.expand = Expand(width, halvings=_HALVINGS, **_sizes(config))
        self.projection = nn.Linear(width, width)
        self.smooth = nn.Conv1d(width, num_values + self.more, 5, padding=2)
        # As published: an untrained decoder makes the same frame everywhere.
        nn.init.zeros_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

    def forward(self, latents: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch frames coeffs"]:
        """Return the coefficients of 8 frames for every latent."""
        components = self.whole(latents)
        if not self.more:
            return components
        end = components.shape[-1] - len(JAW)
        return torch.cat([components[..., : end - self.more], components[..., end:]], dim=-1)

    def whole(self, latents: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch frames components"]:
        """Return all components that the network makes."""
        return self.smooth(self.projection(self.expand(latents)).mT).mT


class Flint(nn.Module):
    """The autoencoder."""

    method = "flint"
    frames_multiple = FRAMES_PER_LATENT

    def __init__(self, config: FlintConfig, num_values: int = NUM_COEFFS) -> None:
        super().__init__()
        self.config = config
        self.levels = (Level(FRAMES_PER_LATENT, config.width, context=0, discrete=False, name="latent"),)
        # FLINT takes coefficients as they are.
        self.motion_scale = nn.Identity()
        self.encoder = FlintEncoder(config, num_values)
        self.decoder = FlintDecoder(config, num_values)

    def forward(
        self, coeffs: Float[Tensor, "batch frames coeffs"], generator: torch.Generator | None = None
    ) -> Coded:
        """Encode and decode. Train mode draws the latents, by default from torch's global generator.
        Evaluation mode draws them only if `generator` is given, and else takes the means.
        """
        latent = self.encoder(coeffs)
        drawn = self.training or generator is not None
        made = self.decoder(latent.sample(generator) if drawn else latent.mean)
        return Coded(made, (), latent.divergence())


def _sizes(config: FlintConfig) -> dict[str, Any]:
    return {"heads": config.heads, "feedforward": config.feedforward, "dropout": config.dropout}
