"""Our judge of emotion in pictures: a small convolutional network, in whose features Emo-FID is measured.

Axis names: `pictures`, `features`, `labels` = 9 (`EMOTIONS`). It stands in for the networks trained on
AffectNet that papers used: their authors do not name them, and their key lists are unknown to us. It has only
seen pictures that talk draws, always with the same renderer and crop, so it cannot judge other pictures.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float, UInt8
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.types import EMOTIONS, Config, Width

# Side of the pictures in pixels.
SIDE = 64
# Number of pictures that go through the network at once.
_BATCH = 64
# Channels that are normalised together.
_GROUP = 8


class EmotionImageConfig(Config):
    """Sizes of the judge."""

    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=6)] = (16, 32, 64, 96)
    """Channels of the convolutions, multiples of 8; each halves the picture."""
    features: Width = 64
    """Number of features."""


class EmotionImage(nn.Module):
    """Convolutions, a mean over the picture's quarters, and two linear layers; it knows no numbers of a
    motion.
    """

    method = "emotion_image"

    def __init__(self, config: EmotionImageConfig) -> None:
        super().__init__()
        self.config = config
        # Faces differ in few pixels by little: each pixel is standardised by the training's pictures.
        self.scale = Standardise(3 * SIDE * SIDE)
        layers: list[nn.Module] = []
        before = 3
        for width in config.widths:
            conv = nn.Conv2d(before, width, 3, stride=2, padding=1)
            layers += [conv, nn.GroupNorm(max(width // _GROUP, 1), width), nn.GELU()]
            before = width
        self.seeing = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4))
        self.inward = nn.Linear(16 * before, config.features)
        self.outward = nn.Linear(config.features, len(EMOTIONS))

    def forward(self, pictures: Float[Tensor, "pictures 3 64 64"]) -> Float[Tensor, "pictures labels"]:
        """Return the logits of the labels of `EMOTIONS`; red, green and blue are from 0 to 1."""
        return self.outward(self.encode(pictures))

    def encode(self, pictures: Float[Tensor, "pictures 3 64 64"]) -> Float[Tensor, "pictures features"]:
        """Return the features."""
        seen = self.scale(pictures.flatten(1)).unflatten(1, (3, SIDE, SIDE))
        return F.gelu(self.inward(self.seeing(seen).flatten(1)))


@torch.inference_mode()
def features(
    judge: EmotionImage, pictures: UInt8[np.ndarray, "pictures 64 64 3"]
) -> Float[np.ndarray, "pictures features"]:
    """Return the features of pictures in red, green, blue."""
    found = [
        judge.encode(as_floats(pictures[first : first + _BATCH])) for first in range(0, len(pictures), _BATCH)
    ]
    return torch.cat(found).numpy() if found else np.zeros((0, judge.config.features), np.float32)


def as_floats(pictures: UInt8[np.ndarray, "pictures 64 64 3"]) -> Float[Tensor, "pictures 3 64 64"]:
    """Return pictures as the network takes them."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
