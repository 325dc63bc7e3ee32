"""SpiralConv3D: a linear layer over the spiral of each vertex in the last frames.

Axis names: `batch`, `frames`, `verts`, `channels`, `outputs`, `length` (entries of a spiral), `kept` (earlier
frames that a block needs). Sources: SpiralNet++ (Gong et al. 2019) for the spatial part; EmoFace (Lin et al.
2024), section on SpiralConv3D, for the causal neighbourhood of `span` frames. With a span of 1 it is the
plain spiral convolution of SpiralNet++.

The vertices of a spiral are gathered once per frame and not once per frame of the span, and the frames are
worked through in blocks, so that memory grows with a block and not with the length. In training a block is
computed again for its gradient instead of being kept.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

# Numbers that a block holds at most, unless one frame needs more: 32 MB of float32.
_BLOCK = 1 << 23


class SpiralConv3d(nn.Module):
    """One layer, whose weights are ordered by frame (oldest first), entry of the spiral and channel."""

    def __init__(self, inputs: int, outputs: int, *, length: int, span: int, block: int = _BLOCK) -> None:
        """Build the layer.

        Args:
            inputs: Number of channels of a vertex.
            outputs: Number of channels of the result.
            length: Number of entries of a spiral.
            span: Number of frames that it sees: the present one and those right before it.
            block: Numbers that a block of frames holds at most; a block has at least one frame.
        """
        super().__init__()
        self.length, self.span, self.block = length, span, block
        self.layer = nn.Linear(inputs * length * span, outputs)
        nn.init.xavier_uniform_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def forward(
        self,
        features: Float[Tensor, "batch frames verts channels"],
        spirals: Int[Tensor, "verts length"],
        past: Float[Tensor, "batch kept verts channels"] | None = None,
    ) -> Float[Tensor, "batch frames verts outputs"]:
        """Return the result for all frames.

        Args:
            features: Features of the vertices.
            spirals: Spiral of every vertex.
            past: The `span - 1` frames before these. Without them the first frame counts as having been
                there before.
        """
        before = self.span - 1
        whole = self._with_past(features, past)
        frames = features.shape[1]
        step = self._frames_of_a_block(features)
        if frames <= step:
            return self._block(whole, spirals)
        pieces = [whole[:, first : min(first + step, frames) + before] for first in range(0, frames, step)]
        if not torch.is_grad_enabled():
            return torch.cat([self._block(piece, spirals) for piece in pieces], dim=1)
        made = [
            checkpoint(self._block, piece, spirals, use_reentrant=False, preserve_rng_state=False)
            for piece in pieces
        ]
        return torch.cat(made, dim=1)

    def of_sum(
        self,
        moving: Float[Tensor, "batch frames channels"],
        still: Float[Tensor, "verts channels"],
        spirals: Int[Tensor, "verts length"],
        past: Float[Tensor, "batch kept channels"] | None = None,
    ) -> Float[Tensor, "batch frames verts outputs"]:
        """Return what `forward` returns for features that are the sum of two, at a small part of its cost.

        A linear layer of a sum is the sum of two layers: one over frames and one over vertices.

        Args:
            moving: Features of each frame, the same for all vertices.
            still: Features of each vertex, the same for all frames.
            spirals: Spiral of every vertex.
            past: The `span - 1` frames of `moving` before these, as in `forward`.
        """
        frames = moving.shape[1]
        weight = self.layer.weight.unflatten(1, (self.span, self.length, -1))
        parts = torch.einsum("bsc,oac->bsao", self._with_past(moving, past), weight.sum(2))
        total: Tensor = self.layer.bias
        for at in range(self.span):
            total = total + parts[:, at : at + frames, at]
        placed = still.index_select(0, spirals.flatten()).unflatten(0, spirals.shape).flatten(1)
        return total[:, :, None] + nn.functional.linear(placed, weight.sum(1).flatten(1))

    def remembered(
        self,
        features: Float[Tensor, "batch frames *rest"],
        past: Float[Tensor, "batch kept *rest"] | None,
    ) -> Float[Tensor, "batch kept *rest"]:
        """Return the `past` of the frames that follow `features`, for `forward` or `of_sum`."""
        return self._with_past(features, past)[:, features.shape[1] :]

    def _with_past(
        self, features: Float[Tensor, "batch frames *rest"], past: Float[Tensor, "batch kept *rest"] | None
    ) -> Float[Tensor, "batch seen *rest"]:
        if past is None:
            past = features[:, :1].expand(-1, self.span - 1, *features.shape[2:])
        return torch.cat([past, features], dim=1)

    def _frames_of_a_block(self, features: Float[Tensor, "batch frames verts channels"]) -> int:
        batch, _, verts, channels = features.shape
        a_frame = batch * verts * (self.length * channels + self.span * self.layer.out_features)
        return max(self.block // a_frame, 1)

    def _block(
        self, whole: Float[Tensor, "batch seen verts channels"], spirals: Int[Tensor, "verts length"]
    ) -> Float[Tensor, "batch frames verts outputs"]:
        """Return the result for the frames of `whole` that have all frames of the span before them."""
        seen = whole.shape[1]
        frames = seen - self.span + 1
        gathered = whole.index_select(2, spirals.flatten()).unflatten(2, spirals.shape).flatten(3)
        # One row of the weight for each frame of the span and each output.
        weight = self.layer.weight.unflatten(1, (self.span, -1)).transpose(0, 1).flatten(0, 1)
        parts = nn.functional.linear(gathered, weight).unflatten(-1, (self.span, -1))
        total: Tensor = self.layer.bias
        for at in range(self.span):
            total = total + parts[:, at : at + frames, :, at]
        return total
