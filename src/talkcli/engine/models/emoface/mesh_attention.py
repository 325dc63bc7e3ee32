"""Mesh Attention: how much each branch counts at each vertex in each frame.

Axis names: `batch`, `frames`, `width`, `verts`, `length` (entries of a spiral), `channels`. Source: EmoFace,
section on Mesh Attention. The weights depend on the sound and on the place of a vertex, not on the motion, so
that they can be computed before any frame is generated. Not stated in the paper, and ours: two layers of
SpiralConv3D with ELU between them, of which the last has one channel, whose sigmoid is the weight of the
emotion branch. One layer alone could not relate sound and place: it is linear in their sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.models.emoface.emoface_config import NARROWER, EmoFaceConfig
from talkcli.engine.nn.spiral_conv import SpiralConv3d

# The earlier frames that each layer needs, oldest first; those of the first layer are of the sound alone.
Pasts = Sequence[Tensor | None]


class MeshAttention(nn.Module):
    """The map of weights."""

    def __init__(self, config: EmoFaceConfig) -> None:
        super().__init__()
        width, narrow = config.width, config.width // NARROWER
        self.of_emotion = nn.Linear(width, width // 4)
        self.of_content = nn.Linear(width, width // 4)
        self.of_sound = nn.Linear(2 * (width // 4), narrow)
        self.of_place = nn.Sequential(nn.Linear(3, width // 4), nn.ReLU(), nn.Linear(width // 4, narrow))
        widths = [narrow] * config.map_layers + [1]
        self.convolutions: Any = nn.ModuleList(
            SpiralConv3d(inputs, outputs, length=config.spiral.length, span=config.spiral.span)
            for inputs, outputs in pairwise(widths)
        )

    def forward(
        self,
        emotion: Float[Tensor, "batch frames width"],
        content: Float[Tensor, "batch frames width"],
        template: Float[Tensor, "verts 3"],
        spirals: Int[Tensor, "verts length"],
        pasts: Pasts | None = None,
    ) -> tuple[Float[Tensor, "batch frames verts"], Pasts]:
        """Return the weight of the emotion branch, from 0 to 1, and the `pasts` of the frames that follow.

        Args:
            emotion: Features of the emotion branch.
            content: Features of the content branch.
            template: Face at rest, whose place and size do not matter.
            spirals: Spiral of every vertex.
            pasts: What the call for the frames right before these returned; None at the beginning.
        """
        heard = torch.cat([F.relu(self.of_emotion(emotion)), F.relu(self.of_content(content))], dim=-1)
        centred = template - template.mean(0)
        place = self.of_place(centred / centred.std().clamp_min(1e-9))
        sound = self.of_sound(heard)
        first, *others = self.convolutions
        pasts = [None] * len(self.convolutions) if pasts is None else pasts
        remembered = [first.remembered(sound, pasts[0])]
        # The input of the first layer is the sum of sound and place, at every vertex and frame.
        mixed = first.of_sum(sound, place, spirals, pasts[0])
        for convolution, past in zip(others, pasts[1:], strict=True):
            mixed = F.elu(mixed)
            remembered.append(convolution.remembered(mixed, past))
            mixed = convolution(mixed, spirals, past)
        return mixed[..., 0].sigmoid(), remembered
