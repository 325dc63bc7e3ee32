"""The autoencoder of motion in whose latents FFD (Frechet face distance) is measured.

Axis names: `batch`, `frames` (25 fps, a multiple of 8), `coeffs`, `tokens` = `frames` / 8, `width`. Source:
DEEPTalk, supplementary material: convolutions over time that divide the frame rate by 8, then one transformer
layer; the decoder mirrors the encoder. The paper states no sizes: these are FLINT's (Daněček et al. 2023,
EMOTE). The paper's weights are not published, so its numbers cannot be reached.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.batch_norm import BatchNorm
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.nn.temporal import Squash
from talkcli.engine.nn.transformer import Transformer
from talkcli.engine.types import Config, Dropout, Heads, Width, check_heads

# Number of halvings of the frame rate, and frames per token.
_HALVINGS = 3
TOKEN_FRAMES = 2**_HALVINGS
# Frames that the encoder sees at once when it measures: the window of its training.
WINDOW_FRAMES = 32


class FfdConfig(Config):
    """Sizes of the autoencoder."""

    width: Width = 128
    """Width of features and of the latent."""
    heads: Heads = 8
    """Number of attention heads."""
    feedforward: Width = 256
    """Width inside the feed-forward layers."""
    dropout: Dropout = 0.1
    """Dropout in the transformer layers."""

    @model_validator(mode="after")
    def _check(self) -> FfdConfig:
        check_heads(self.heads, width=self.width)
        return self


class Coded(NamedTuple):
    """What a pass through the autoencoder gives."""

    coeffs: Float[Tensor, "batch frames coeffs"]
    """The decoded motion, standardised."""
    divergence: Float[Tensor, ""]
    """Kullback-Leibler divergence from the standard Gaussian: sum over the width, mean over tokens."""


class FfdVae(nn.Module):
    """The autoencoder."""

    method = "ffd"

    def __init__(self, config: FfdConfig, num_coeffs: int) -> None:
        super().__init__()
        self.config = config
        width, heads, feedforward, dropout = config.width, config.heads, config.feedforward, config.dropout
        self.motion_scale = Standardise(num_coeffs)
        self.encoder = Squash(
            num_coeffs, width, heads=heads, feedforward=feedforward, dropout=dropout, halvings=_HALVINGS
        )
        self.mean = nn.Linear(width, width)
        self.log_variance = nn.Linear(width, width)
        self.attention = Transformer(width, layers=1, heads=heads, feedforward=feedforward, dropout=dropout)
        self.doublings = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose1d(width, width, 5, stride=2, padding=2, output_padding=1),
                nn.LeakyReLU(0.2),
                BatchNorm(width),
            )
            for _ in range(_HALVINGS)
        )
        self.last = nn.Conv1d(width, num_coeffs, 5, padding=2)

    def forward(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Coded:
        """Encode and decode.

        Train mode draws the latents from torch's global generator; evaluation mode takes their means.
        """
        states = self.encoder(self.motion_scale(coeffs))
        mean, log_variance = self.mean(states), self.log_variance(states)
        drawn = mean + (log_variance / 2).exp() * torch.randn_like(mean) if self.training else mean
        each = mean.square() + log_variance.exp() - 1 - log_variance
        x = self.attention(drawn, distance_bias(self.config.heads, drawn.shape[1], device=drawn.device))
        x = x.transpose(1, 2)
        for doubling in self.doublings:
            x = doubling(x)
        return Coded(self.last(F.leaky_relu(x, 0.2)).transpose(1, 2), each.sum(-1).mean() / 2)

    def encode(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Float[Tensor, "batch tokens width"]:
        """Return the means of the latents."""
        return self.mean(self.encoder(self.motion_scale(coeffs)))


@torch.inference_mode()
def features(model: FfdVae, coeffs: Float[np.ndarray, "frames coeffs"]) -> Float[np.ndarray, "tokens width"]:
    """Return the latents of a motion of 25 fps, in windows of 32 frames one after the other.

    Frames beyond a multiple of 8 are left out, so that fewer than 8 frames give no token.
    """
    whole = torch.from_numpy(np.ascontiguousarray(coeffs[: len(coeffs) // TOKEN_FRAMES * TOKEN_FRAMES]))
    if len(whole) == 0:
        return np.zeros((0, model.config.width), np.float32)
    return torch.cat([model.encode(part[None])[0] for part in whole.split(WINDOW_FRAMES)]).numpy()
