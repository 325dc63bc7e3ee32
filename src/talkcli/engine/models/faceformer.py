"""FaceFormer: speech to motion, frame by frame, each frame from the frames before it and from its sound.

Axis names: `batch`, `samples` (16 kHz), `frames` (at the model's rate), `positions` of the sound (frames, or
twice as many), `values` of a frame (x, y, z of vertex after vertex, or coefficients), `width`. Source: Fan et
al. 2022, section 3, and the released code (facts H.1); the defaults are the sizes for VOCASET. What the
network makes are offsets from a face at rest, which is zero for coefficients.
Differs: a frame is decoded once, with the kept keys and values of earlier frames, where the released code
decodes the whole sequence again; `inward` and `outward`, between which nothing happens, are one small matrix
in the loop, and `outward` turns all frames into values after it. The results are equal, apart from dropout in
training, which the released code draws anew for every repetition. Sound may have any length.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.models.frame_by_frame import FrameByFrameConfig
from talkcli.engine.models.speech_memory import SpeechMemory
from talkcli.engine.nn.biased_decoder import BiasedDecoder
from talkcli.engine.nn.periodic import periodic_positions
from talkcli.engine.types import Layers, Width


class FaceFormerConfig(FrameByFrameConfig):
    """Sizes of FaceFormer; the defaults are those for VOCASET, at the 25 fps of talk's training."""

    motion: Literal["vertices", "coefficients"] = "vertices"
    """Meaning of the values of a frame."""
    width: Width = 64
    """Width of the decoder: 64 for VOCASET, 128 for BIWI."""
    feedforward: Width = 128
    """Number of hidden units of a layer's perceptron, twice the width as published."""
    layers: Layers = 1
    """Number of layers of the decoder."""
    memory: Annotated[int, Field(gt=0, le=1 << 20)] | None = None
    """Largest number of frames that a frame attends to in performing, itself among them; null: all. A frame
    then costs the same however long the speech is."""


class FaceFormer(nn.Module):
    """The network. Speakers are numbered as in `config.speakers`; a negative number means the first."""

    method = "faceformer"
    neutral: Tensor | None

    def __init__(self, config: FaceFormerConfig, num_values: int) -> None:
        """Build the network with random weights; its motion is the face at rest until it has learnt.

        Raises ValueError for vertices whose number of values is no multiple of three.
        """
        super().__init__()
        if config.motion == "vertices" and num_values % 3:
            raise ValueError(f"{num_values} values are no vertices")
        self.config = config
        self.memory = SpeechMemory(
            config.content, config.width, fps=config.fps, per_frame=config.per_frame, dropout=config.dropout
        )
        self.inward = nn.Linear(num_values, config.width)
        self.outward = nn.Linear(config.width, num_values)
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)
        self.style = nn.Linear(config.identity, config.width, bias=False)
        self.decoder = BiasedDecoder(
            config.width,
            layers=config.layers,
            heads=config.heads,
            feedforward=config.feedforward,
            dropout=config.dropout,
            period=config.period,
            per_frame=config.per_frame,
        )
        at_rest = torch.zeros(num_values // 3, 3) if config.motion == "vertices" else None
        self.register_buffer("neutral", at_rest)

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of the speech encoder."""
        return self.memory.ears

    def forward(
        self,
        sound: Sound,
        speaker: Int[Tensor, "batch"],
        frames: int,
        told: Float[Tensor, "batch frames values"] | None = None,
    ) -> Float[Tensor, "batch heard values"]:
        """Return the offsets of a window; with two positions a frame, of the frames whose sound is there.

        Args:
            sound: Sound of the window, from the front-ends of `ears`.
            speaker: Number of the speaker of each row.
            frames: Number of frames of the window.
            told: True offsets, which each frame follows (teacher forcing); None for the model's own.
        """
        memory, style = self.memory(sound, frames), self.style_of(speaker)
        if told is None:
            return self.outward(self.unroll(memory, style))
        return self.outward(self.follow(memory, style, told))

    def follow(
        self,
        memory: Float[Tensor, "batch positions width"],
        style: Float[Tensor, "batch width"],
        told: Float[Tensor, "batch frames values"],
    ) -> Float[Tensor, "batch heard width"]:
        """Return the decoded frames that follow the true offsets `told` of the frames before them."""
        frames = memory.shape[1] // self.config.per_frame
        before = F.pad(told[:, : frames - 1], (0, 0, 1, 0))
        places = self._positions(frames, memory)
        return self.decoder(self._drop(self.inward(before) + style[:, None] + places), memory)

    def unroll(
        self, memory: Float[Tensor, "batch positions width"], style: Float[Tensor, "batch width"]
    ) -> Float[Tensor, "batch heard width"]:
        """Return the decoded frames that follow the model's own; gradients pass through all of them."""
        frames = memory.shape[1] // self.config.per_frame
        # What a decoded frame becomes before it is fed back: values of the face, then `inward`.
        back = self.inward.weight @ self.outward.weight
        shift = F.linear(self.outward.bias, self.inward.weight, self.inward.bias) + style
        keep = None if self.training else self.config.memory
        past = self.decoder.start(memory, keep, grow=torch.is_grad_enabled())
        fed, decoded = style, []
        for place in self._positions(frames, memory):
            decoded.append(self.decoder.step(self._drop(fed + place), past))
            fed = F.linear(decoded[-1], back) + shift
        return torch.stack(decoded, dim=1)

    def style_of(self, speaker: Int[Tensor, "batch"]) -> Float[Tensor, "batch width"]:
        """Return the styles of speakers."""
        return self.style.weight.T[speaker.clamp_min(0)]

    @torch.inference_mode()
    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        speaker: int = 0,
        generator: torch.Generator | None = None,  # noqa: ARG002  nothing is drawn
    ) -> Float[Tensor, "batch frames values"]:
        """Return the motion of speech of any length: coordinates in the unit of `neutral`, or coefficients.

        The number of frames is that of `SpeechMemory.frames_of`.
        """
        config = self.config
        memory = self.memory.whole(samples, window=config.window, overlap=config.overlap)
        style = self.style_of(torch.full((len(memory),), speaker, device=memory.device))
        offsets = self.outward(self.unroll(memory, style))
        return offsets if self.neutral is None else offsets.add_(self.neutral.flatten())

    def _positions(self, frames: int, like: Tensor) -> Float[Tensor, "frames width"]:
        return periodic_positions(frames, self.config.width, self.config.period, device=like.device).to(like)

    def _drop(self, value: Tensor) -> Tensor:
        return F.dropout(value, self.config.dropout, self.training)
