"""A branch of EmoFace: FaceFormer's decoder from features and the previous motion to displacements.

Axis names: `batch`, `frames`, `width`, `values` = 3 * verts, `known` (channels of the condition). Sources:
EmoFace, section on the two branches; FaceFormer (Fan et al. 2022) for the decoder. The condition (style, and
level in the emotion branch) is added to the embedding of the previous motion, as FaceFormer adds its style.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.models.emoface.emoface_config import EmoFaceConfig
from talkcli.engine.nn.biased_decoder import BiasedDecoder, Past
from talkcli.engine.nn.periodic import periodic_positions


class Branch(nn.Module):
    """One branch; `forward` for all frames with given previous motion, `start` and `step` for one by one."""

    def __init__(self, config: EmoFaceConfig, num_values: int, known: int) -> None:
        """Build the branch.

        Args:
            config: Settings of the model.
            num_values: Numbers of a frame, as the branch sees it.
            known: Number of channels of the condition.
        """
        super().__init__()
        self.dropout = config.dropout
        self.period = config.period
        self.remember = config.remember
        self.inward = nn.Linear(num_values, config.width)
        self.condition = nn.Linear(known, config.width, bias=False)
        self.decoder = BiasedDecoder(
            config.width,
            layers=config.layers,
            heads=config.heads,
            feedforward=config.feedforward,
            dropout=config.dropout,
            period=config.period,
        )
        self.outward = nn.Linear(config.width, num_values)
        # As in FaceFormer: an untrained branch keeps the face at rest.
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)

    def forward(
        self,
        features: Float[Tensor, "batch frames width"],
        before: Float[Tensor, "batch frames values"],
        condition: Float[Tensor, "batch known"],
    ) -> Float[Tensor, "batch frames values"]:
        """Return the displacements of all frames, given the displacements `before` each of them."""
        frames = before.shape[1]
        embedded = self.inward(before) + self.condition(condition)[:, None]
        embedded = embedded + self._positions(before, frames, 0)
        embedded = F.dropout(embedded, self.dropout, self.training)
        return self.outward(self.decoder(embedded, features))

    def start(self, features: Float[Tensor, "batch frames width"]) -> Past:
        """Return the state before the first of the frames with these `features`."""
        return self.decoder.start(features, self.remember)

    def step(
        self,
        before: Float[Tensor, "batch values"],
        condition: Float[Tensor, "batch known"],
        past: Past,
    ) -> Float[Tensor, "batch values"]:
        """Return the displacements of the next frame, and add it to `past`; without dropout."""
        embedded = self.inward(before) + self.condition(condition)
        embedded = embedded + self._positions(before, 1, past.frames)[0]
        return self.outward(self.decoder.step(embedded, past))

    def _positions(self, like: Tensor, frames: int, first: int) -> Float[Tensor, "frames width"]:
        width = self.inward.out_features
        return periodic_positions(frames, width, self.period, first=first, device=like.device).to(like.dtype)
