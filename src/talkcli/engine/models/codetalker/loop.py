"""The loop over frames in which CodeTalker performs: what is kept between two frames, and what a frame costs.

Axis names: `batch`, `frames`, `width`, `outputs`, `positions` of the sound. Source: facts H.2. The published
loop decodes the whole sequence of codes after every frame, because norm and attention of that decoder see
all frames, and feeds back the last decoded frame. Here the decoder of codes keeps keys and values; the codes
of a frame pass the convolution once; the last layer decodes the newest frame only; and the layer that makes
the numbers of a frame is merged with the layer that reads them, so that nothing in the loop has the size of
the face. What remains are five layers over all frames so far, or over a window of the newest ones.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.models.codetalker.autoencoder import REACH, MotionDecoder, activated, conv_matrix
from talkcli.engine.nn.biased_decoder import BiasedDecoder


class Merged(nn.Module):
    """Two linear layers after each other as one: `after` of `before`."""

    weight: Tensor
    bias: Tensor

    def __init__(self, before: nn.Linear, after: nn.Linear) -> None:
        super().__init__()
        weight = after.weight.detach()
        shift = torch.zeros_like(weight[:, 0])
        if before.bias is not None:
            shift = shift + weight @ before.bias.detach()
        if after.bias is not None:
            shift = shift + after.bias.detach()
        self.register_buffer("weight", weight @ before.weight.detach())
        self.register_buffer("bias", shift)

    def forward(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch outputs"]:
        return F.linear(x, self.weight, self.bias)


class Loop:
    """The networks of the loop, in bfloat16 where autocast asks for it.

    Autocast itself would convert all weights again for every frame, which takes longer than to use them.
    """

    def __init__(
        self,
        decoder: BiasedDecoder,
        outward: nn.Linear,
        motion: MotionDecoder,
        merged: Merged,
        memory: Float[Tensor, "batch positions width"],
    ) -> None:
        """Take the networks in evaluation mode.

        Args:
            decoder: Decoder of the predictor.
            outward: Layer from that decoder to the vectors that are quantised.
            motion: Decoder of motion.
            merged: Its last layer, merged with the layer that reads what is fed back.
            memory: Features of the speech.
        """
        kind = memory.device.type
        self.precision = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
        # `Any`, because a copy of a module has no more than the type of modules.
        networks: list[Any] = [decoder, outward, motion.inward, motion.mixer, merged]
        if self.precision is not None:
            networks = [copy.deepcopy(network).to(self.precision) for network in networks]
            memory = memory.to(self.precision)
        self.decoder, self.outward, self.at_codes, self.mixer, self.merged = networks
        # Made once: to reorder the kernel for every frame would take a quarter of its time.
        self.conv_matrix = conv_matrix(self.mixer.conv)
        self.memory = memory

    def start(self, memory: int | None, window: int | None) -> LoopState:
        """Return the state before the first frame.

        Args:
            memory: Number of frames that a frame attends to in the predictor, itself among them; None: all.
            window: Number of newest frames that are decoded for the feedback; None: all.
        """
        return LoopState(self, memory, window)


class LoopState:
    """What the loop keeps between two frames."""

    def __init__(self, loop: Loop, memory: int | None, window: int | None) -> None:
        self._loop = loop
        self._past = loop.decoder.start(loop.memory, memory)
        self._window = window
        frames = self._past.kept if window is None else min(self._past.kept, window + REACH)
        batch, conv = len(loop.memory), loop.mixer.conv
        # What each frame adds to the convolution at its neighbours, and the activated convolution.
        self._steps = loop.memory.new_zeros(batch, frames, conv.kernel_size[0], conv.out_channels)
        self._seen = loop.memory.new_zeros(batch, frames, conv.out_channels)
        self._kept = self._forgotten = 0

    def predict(self, fed: Float[Tensor, "batch width"]) -> Float[Tensor, "batch outputs"]:
        """Return the vectors of the next frame before quantisation, given what is fed back."""
        loop = self._loop
        with torch.autocast(fed.device.type, enabled=False):
            decoded = loop.decoder.step(fed.to(loop.memory.dtype), self._past)
            return loop.outward(decoded).to(fed.dtype)

    def feed(self, vectors: Float[Tensor, "batch width"]) -> Float[Tensor, "batch outputs"]:
        """Return what the newest frame feeds back, given its code vectors."""
        loop = self._loop
        with torch.autocast(vectors.device.type, enabled=False):
            self._see(loop.at_codes(vectors.to(loop.memory.dtype)[:, None]))
            count = self._kept if self._window is None else min(self._kept, self._window)
            seen = self._seen[:, self._kept - count : self._kept]
            first = self._forgotten + self._kept - count
            return loop.merged(loop.mixer.after_conv(seen, last=1, first=first)[:, 0]).to(vectors.dtype)

    def _see(self, frame: Float[Tensor, "batch 1 width"]) -> None:
        """Add a frame to the convolution."""
        conv = self._loop.mixer.conv
        if self._kept == self._seen.shape[1]:
            # Only the convolution of frames within the window is read, so that the oldest may go.
            self._steps, self._seen = self._steps.roll(-1, 1), self._seen.roll(-1, 1)
            self._kept, self._forgotten = self._kept - 1, self._forgotten + 1
        at = self._kept
        added = F.linear(frame[:, 0], self._loop.conv_matrix)
        self._steps[:, at] = added.unflatten(-1, self._steps.shape[2:])
        self._kept += 1
        # The last frame is repeated beyond the end, so that a new one changes the two before it, too.
        changed = torch.arange(max(at - REACH, 0), at + 1)
        places = torch.arange(2 * REACH + 1)
        neighbours = (changed[:, None] + places - REACH).clamp(0, at)
        self._seen[:, changed] = activated(self._steps[:, neighbours, places].sum(2) + conv.bias)
