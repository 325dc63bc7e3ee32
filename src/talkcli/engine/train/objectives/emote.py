"""The loss of EMOTE on the frozen decoder of FLINT: the surface, and in stage 2 emotion and lips as they are
seen.

Axis names: `batch`, `frames`, `coeffs`. Source: EMOTE (Daněček et al. 2023), facts H.6. Stage 1 is the
surface term alone. Stage 2 adds the emotion and the lips of rendered motion, and both for motion that has
exchanged its emotion with another clip: its lips are compared with those of the clip whose words it says, its
emotion with that of the clip whose condition it has. Vertices are in millimetres here: weights of the other
terms are 1e6 times the published ones. Differs: the published reference of the emotion is the real video,
here it is the rendered true motion, since manifests hold no videos.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from talkcli.engine.errors import UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.losses.lip_reading import LipReading
from talkcli.engine.losses.motion import SurfaceDistance, velocity_error
from talkcli.engine.losses.video_emotion import VideoEmotion
from talkcli.engine.models.emote.emote import Emote
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.train.objectives.second_stage import LipReadingTerms, neighbours


class EmoteObjectiveConfig(LipReadingTerms):
    """Weights of the terms of EMOTE's loss; the defaults are stage 1."""

    vertex_weight: Weight = 1.0
    """Weight of the squared vertex distance in mm^2."""
    velocity_weight: Weight = 0.0
    """Weight of the squared difference of the vertices' frame-to-frame steps, in mm^2."""
    emotion_weight: Weight = 0.0
    """Weight of one minus the cosine of what a judge of emotion sees of the true and the generated motion."""
    swap_emotion_weight: Weight = 0.0
    """Weight of the same for motion with a swapped emotion, against the true motion of the clip that the
    emotion is of."""
    vertices: Annotated[int, Field(gt=1, le=10**6)] | None = None
    """Number of vertices that the vertex distance compares, half of them on the lips; null: all."""
    lip_vertex_weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    """Weight of a lip vertex relative to any other vertex."""

    @property
    def sees_emotion(self) -> bool:
        """Whether a term needs a judge of emotion."""
        return self.emotion_weight > 0 or self.swap_emotion_weight > 0

    @property
    def swaps(self) -> bool:
        """Whether motion is made a second time, with a swapped emotion."""
        return self.swap_emotion_weight > 0 or self.swap_lip_reading_weight > 0


class EmoteObjective(nn.Module):
    """Loss and validation measures of EMOTE."""

    def __init__(
        self,
        model: Emote,
        config: EmoteObjectiveConfig,
        head: Head,
        *,
        emotion: VideoEmotion | None = None,
        lip_reading: LipReading | None = None,
    ) -> None:
        """Raise UsageError for a weighed term without its judge or its lip reader."""
        super().__init__()
        config.check_reader(lip_reading)
        if emotion is None and config.sees_emotion:
            raise UsageError("The recipe weighs emotion, but there is no judge of emotion.")
        self.model = model
        self.config = config
        self.surface = SurfaceDistance(head, vertices=config.vertices, lip_weight=config.lip_vertex_weight)
        self.emotion = emotion
        self.lip_reading = lip_reading

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        """Return the loss of one batch and its terms; optional terms appear only if they are switched on."""
        config, model = self.config, self.model
        content = model.content(batch.sound).features
        made = model.decode(content, model.styles(batch.emotion, batch.level, batch.speaker)).float()
        surface, true = self.surface(made), self.surface(batch.motion)
        terms = {"vertex": self.surface.squared_error(surface, true)}
        weights = {"vertex": config.vertex_weight}

        def add(name: str, weight: float, term: Tensor) -> None:
            terms[name], weights[name] = term, weight

        if config.velocity_weight > 0:
            add("velocity", config.velocity_weight, velocity_error(surface, true))
        emotion, lips = self.emotion, self.lip_reading
        with torch.no_grad():
            felt = None if emotion is None else emotion.features(batch.motion)
            read = None if lips is None else lips.features(batch.motion)
        if emotion is not None and felt is not None and config.emotion_weight > 0:
            add("emotion", config.emotion_weight, emotion(made, felt))
        if lips is not None and read is not None and config.lip_reading_weight > 0:
            add("lip_reading", config.lip_reading_weight, lips(made, read))
        if config.swaps:
            # Emotion and level are the other clip's, words and person the own ones.
            other = neighbours(len(made), made.device)
            style = model.styles(batch.emotion[other], batch.level[other], batch.speaker)
            swapped = model.decode(content, style).float()
            if emotion is not None and felt is not None and config.swap_emotion_weight > 0:
                add("swap_emotion", config.swap_emotion_weight, emotion(swapped, felt[other]))
            if lips is not None and read is not None and config.swap_lip_reading_weight > 0:
                add("swap_lip_reading", config.swap_lip_reading_weight, lips(swapped, read))
        total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the errors in mm; `score` is the lip vertex error."""
        lips, vertices = [], []
        for batch in batches:
            made = self.model(batch.sound, self.model.styles(batch.emotion, batch.level, batch.speaker))
            surface, true = self.surface(made), self.surface(batch.motion)
            lips.append(self.surface.lip_error_mm(surface, true).flatten())
            vertices.append((surface - true).norm(dim=-1).mean(-1).flatten())
        lip_mm = float(torch.cat(lips).mean())
        return {
            "score": lip_mm,
            "lip_error_mm": lip_mm,
            "vertex_error_mm": float(torch.cat(vertices).mean()),
        }
