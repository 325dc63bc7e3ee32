"""EmoFace: speech to displacements of vertices, by a content branch and an emotion branch.

Axis names: `batch`, `samples` (16 kHz), `others` (of another recording), `frames` (25 fps), `width`, `values`
= 3 * verts, `verts`, `classes` (`EMOTIONS`). Source: EmoFace (Lin et al. 2024, arXiv 2408.11518); no code of
it is public, and `docs/methods/emoface.md` lists what we had to choose. Each branch has an encoder of speech
and a decoder, and neither sees the features of the other: they meet in Mesh Attention alone. A frame is made
of the frame before it, so that generating goes frame by frame, with the fused motion as the input of both
decoders.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.audio.wav2vec2 import resample
from talkcli.engine.errors import InputError
from talkcli.engine.models.content import build_content
from talkcli.engine.models.emoface.branch import Branch
from talkcli.engine.models.emoface.emoface_config import EmoFaceConfig
from talkcli.engine.models.emoface.mesh_attention import MeshAttention, Pasts
from talkcli.engine.models.windows import Stretches, cross_fade, spans
from talkcli.engine.types import EMOTIONS, NOBODY, SAMPLES_PER_FRAME

# Codes of the level of an emotion: normal and strong.
_LEVELS = 2
# Frames whose map is computed at once: two seconds.
_BLOCK = 50


class Heard(NamedTuple):
    """Features of both branches."""

    content: Float[Tensor, "batch frames width"]
    emotion: Float[Tensor, "batch frames width"]


class Conditions(NamedTuple):
    """What each decoder is told beside sound and motion: the style, and the emotion branch also the level."""

    content: Float[Tensor, "batch _style"]
    emotion: Float[Tensor, "batch _style_and_level"]


class EmoFace(nn.Module):
    """The whole model. Displacements are in metres outside of the branches."""

    method = "emoface"
    neutral: Tensor
    spirals: Tensor
    components: Tensor
    spreads: Tensor

    def __init__(self, config: EmoFaceConfig, num_values: int) -> None:
        super().__init__()
        self.config = config
        verts = num_values // 3
        self.hear_content = build_content(config.content, config.width, dropout=config.dropout)
        self.hear_emotion = build_content(config.emotion, config.width, dropout=config.dropout)
        self.style = nn.Linear(config.identity, config.embedding)
        self.level = nn.Linear(_LEVELS, config.embedding)
        seen = config.components or num_values
        self.content = Branch(config, seen, config.embedding)
        self.emotion = Branch(config, seen, 2 * config.embedding)
        self.classifier = nn.Linear(config.width, len(EMOTIONS))
        if config.mesh_attention:
            self.mesh_attention = MeshAttention(config)
        self.register_buffer("neutral", torch.zeros(verts, 3))
        if config.components is not None:
            # Orthonormal rows, and the spread of the training motion along each of them in metres.
            self.register_buffer("components", torch.zeros(config.components, num_values))
            self.register_buffer("spreads", torch.ones(config.components))
        # The mesh is data: training computes its spirals, and the model file keeps them.
        self.register_buffer("spirals", torch.zeros(verts, config.spiral.length, dtype=torch.int32))

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of both encoders."""
        return {**self.hear_content.ears, **self.hear_emotion.ears}

    def listen(self, sound: Sound) -> Heard:
        """Return the features of both branches, each by its own encoder."""
        return Heard(self.listen_content(sound), self.listen_emotion(sound))

    def listen_content(self, sound: Sound) -> Float[Tensor, "batch frames width"]:
        """Return the features of the content branch."""
        return self.hear_content(_own(sound, "hear_content")).features

    def listen_emotion(self, sound: Sound) -> Float[Tensor, "batch frames width"]:
        """Return the features of the emotion branch."""
        return self.hear_emotion(_own(sound, "hear_emotion")).features

    def conditions(self, speaker: Int[Tensor, "batch"], level: Float[Tensor, "batch"]) -> Conditions:
        """Embed speakers (`NOBODY`: no style), and levels of emotion from 0 (normal) to 1 (strong).

        A level between them has a share of both codes.
        """
        known = (speaker != NOBODY)[:, None]
        style = self.style(F.one_hot(speaker.clamp_min(0), self.config.identity) * known * 1.0)
        strength = self.level(torch.stack([1 - level, level], dim=-1).to(style))
        return Conditions(style, torch.cat([style, strength], dim=-1))

    def classify(self, emotion: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch classes"]:
        """Return logits over `EMOTIONS` from the features of the emotion branch."""
        return self.classifier(emotion.mean(1))

    def weights(
        self, heard: Heard, pasts: Pasts | None = None
    ) -> tuple[Float[Tensor, "batch frames verts"], Pasts]:
        """Return the weight of the emotion branch at every vertex, and what the frames that follow need."""
        if not self.config.mesh_attention:
            batch, frames, _ = heard.content.shape
            return heard.content.new_full((batch, frames, len(self.neutral)), 0.5), []
        return self.mesh_attention(heard.emotion, heard.content, self.neutral, self.spirals, pasts)

    def emotion_motion(
        self,
        heard: Heard,
        before: Float[Tensor, "batch frames values"],
        conditions: Conditions,
    ) -> Float[Tensor, "batch frames values"]:
        """Return the displacements by the emotion branch, given those `before` each frame."""
        return self._outside(self.emotion(heard.emotion, self._inside(before), conditions.emotion))

    def content_motion(
        self,
        heard: Heard,
        before: Float[Tensor, "batch frames values"],
        conditions: Conditions,
    ) -> Float[Tensor, "batch frames values"]:
        """Return the displacements by the content branch, given those `before` each frame."""
        return self._outside(self.content(heard.content, self._inside(before), conditions.content))

    def _inside(self, displacements: Float[Tensor, "*frames values"]) -> Float[Tensor, "*frames _seen"]:
        """Return displacements in metres as the branches see them."""
        if self.config.components is None:
            return displacements / self.config.unit_m
        return displacements @ self.components.T / self.spreads

    def _outside(self, seen: Float[Tensor, "*frames _seen"]) -> Float[Tensor, "*frames values"]:
        """Return what a branch made as displacements in metres."""
        if self.config.components is None:
            return seen * self.config.unit_m
        return (seen * self.spreads) @ self.components

    def perform(
        self,
        heard: Heard,
        conditions: Conditions,
        before: Float[Tensor, "batch values"] | None = None,
    ) -> Float[Tensor, "batch frames values"]:
        """Return the fused displacements of all frames, each made of the one before it.

        Args:
            heard: Features of all frames.
            conditions: Style and level.
            before: Displacements before the first frame; None for the face at rest.
        """
        batch, frames, _ = heard.content.shape
        values = self.neutral.numel()
        at = heard.content.new_zeros(batch, values) if before is None else before
        made = heard.content.new_empty(batch, frames, values)
        pasts = self.content.start(heard.content), self.emotion.start(heard.emotion)
        for frame, weight in enumerate(self._weights_by_frame(heard)):
            seen = self._inside(at)
            content = self._outside(self.content.step(seen, conditions.content, pasts[0]))
            emotion = self._outside(self.emotion.step(seen, conditions.emotion, pasts[1]))
            at = fused(emotion, content, weight)
            made[:, frame] = at
        return made

    def _weights_by_frame(self, heard: Heard) -> Iterator[Float[Tensor, "batch verts"]]:
        pasts: Pasts | None = None
        for first in range(0, heard.content.shape[1], _BLOCK):
            part = Heard(*(features[:, first : first + _BLOCK] for features in heard))
            weight, pasts = self.weights(part, pasts)
            yield from weight.unbind(1)

    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        emotion_samples: Float[Tensor, "batch others"] | None = None,
        level: float = 1.0,
        speaker: int = NOBODY,
        generator: torch.Generator | None = None,  # noqa: ARG002  nothing is drawn
    ) -> Float[Tensor, "batch frames values"]:
        """Return the coordinates of ceil(samples / 640) frames in metres.

        Args:
            samples: Speech of any length.
            emotion_samples: Speech whose emotion replaces that of `samples`, stretched to its length.
            level: Level of the emotion, from 0 (normal) to 1 (strong).
            speaker: Index of the speaker whose style the motion has; `NOBODY` for none.
            generator: Not used: the same speech gives the same motion.

        Raises:
            InputError: When the spirals of a damaged model file name vertices that its mesh does not have.
        """
        self._check_spirals()
        batch, device = len(samples), samples.device
        heard = self._hear_all(samples)
        if emotion_samples is not None:
            felt = self._hear_all(emotion_samples).emotion
            heard = heard._replace(emotion=resample(felt, heard.content.shape[1]))
        conditions = self.conditions(
            torch.full((batch,), speaker, device=device), torch.full((batch,), level, device=device)
        )
        return self.perform(heard, conditions).add_(self.neutral.flatten())

    def _hear_all(self, samples: Float[Tensor, "batch samples"]) -> Heard:
        """Return the features of speech of any length, in overlapping windows."""
        frames = -(-samples.shape[1] // SAMPLES_PER_FRAME)
        window, overlap = self.config.window, self.config.overlap
        stretches = Stretches(self.ears, samples, frames=frames, window=window)
        parts = [self.listen(stretches(first, last)) for first, last in spans(frames, window, overlap)]
        return Heard(
            cross_fade((part.content for part in parts), frames, overlap),
            cross_fade((part.emotion for part in parts), frames, overlap),
        )

    def _check_spirals(self) -> None:
        """Raise InputError when spirals name vertices that do not exist."""
        if self.spirals.min() < 0 or self.spirals.max() >= len(self.neutral):
            raise InputError("The spirals of the model name vertices that its mesh does not have.")


def _own(sound: Sound, encoder: str) -> Sound:
    """Return `sound` with the stored features of one encoder under the name that the encoder asks for."""
    stored = {
        kind: steps
        for name, steps in sound.items()
        for kind, at, whose in [name.partition(":")]
        if at and whose.startswith(f"{encoder}.")
    }
    return {**sound, **stored}


def fused(
    emotion: Float[Tensor, "*frames values"],
    content: Float[Tensor, "*frames values"],
    weight: Float[Tensor, "*frames verts"],
) -> Float[Tensor, "*frames values"]:
    """Return the weighted sum of two displacements; `weight` is that of the emotion branch."""
    shares = weight[..., None].expand(*weight.shape, 3).flatten(-2)
    return torch.lerp(content, emotion, shares)
