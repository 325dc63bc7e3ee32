"""What training EmoTalk minimises: reconstruction with its own features and with exchanged ones.

Axis names: `batch`, `frames` (25 fps), `values` of a frame of motion, `rows` (of the batch), `known` (all of
`EMOTIONS`). Source: EmoTalk (Peng et al. 2023), as facts H.5 and G.6 describe it. A row is reconstructed from
its own content and emotion (self), and from exchanged features (cross): the content of the same words said
with another emotion, where the batch holds such pairs, and the emotion of another row with the same label.
Frame-to-frame steps count beside it, and the emotion branch tells the label. The published weights of the
terms are not known.
"""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.head import Head
from talkcli.engine.losses.motion import SurfaceDistance
from talkcli.engine.models.emotalk.emotalk import EmoTalk
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.types import EMOTIONS, Config

# Metres to millimetres, so that errors of vertices are near one.
_MM = 1000.0
# Target of a row whose emotion the classifier does not know.
_NO_LABEL = -1


class EmoTalkObjectiveConfig(Config):
    """Weights of the terms of EmoTalk's loss."""

    self_weight: Weight = 1.0
    """Weight of the reconstruction from a row's own content and emotion."""
    cross_weight: Weight = 1.0
    """Weight of the reconstruction from exchanged features; half the error of a step is then theirs."""
    velocity_weight: Weight = 0.5
    """Weight of the errors of frame-to-frame steps, in both reconstructions; EmoFace has the same ratio."""
    classification_weight: Weight = 0.01
    """Weight of the cross-entropy of the emotion's label. A cross-entropy starts near 2, an error of
    coefficients near 0.02: the label guides the emotion branch, and does not rule it."""
    coefficient_weight: Weight = 1.0
    """Weight, within a reconstruction, of the squared error of the numbers of a frame (published): of
    coefficients, or of coordinates in mm."""
    vertex_weight: Weight = 0.0
    """Weight, within a reconstruction, of the squared vertex distance in mm^2, which makes a coefficient
    count by what it moves; for models of coefficients."""
    vertices: Annotated[int, Field(gt=1, le=10**6)] | None = None
    """Number of vertices that the vertex distance compares, half of them on the lips; null: all."""
    lip_vertex_weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    """Weight of a lip vertex relative to any other vertex."""


class EmoTalkObjective(nn.Module):
    """Loss and validation measures of EmoTalk."""

    labels: Int[Tensor, "known"]

    def __init__(
        self,
        model: EmoTalk,
        config: EmoTalkObjectiveConfig,
        head: Head | None = None,
        *,
        paired: bool = False,
    ) -> None:
        """Build the objective.

        Args:
            model: Model to train.
            config: Weights of the terms.
            head: Head of the coefficients; None if no vertex distance is weighed.
            paired: Whether rows 2k and 2k + 1 of a batch say the same with different emotions.
        """
        super().__init__()
        self.model = model
        self.config = config
        self.paired = paired
        self.scale = _MM if model.config.motion == "vertices" else 1.0
        self.surface = None
        if config.vertex_weight > 0:
            assert head is not None
            self.surface = SurfaceDistance(
                head, vertices=config.vertices, lip_weight=config.lip_vertex_weight
            )
        known = model.config.labels
        labels = [known.index(label) if label in known else _NO_LABEL for label in EMOTIONS]
        self.register_buffer("labels", torch.tensor(labels), persistent=False)

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  constant weights
        """Return the loss of one batch and its terms."""
        config, model, frames = self.config, self.model, batch.motion.shape[1]
        content, felt = model.content(batch.sound, frames), model.felt(batch.sound, frames)
        made = self._made(batch, content, felt)
        rows = torch.arange(len(content), device=content.device)
        partners = rows ^ 1 if self.paired else rows
        donors = same_emotion(batch.emotion, batch.speaker)
        exchanged = (partners != rows) | (donors != rows)
        crossed = self._made(batch, content[partners], felt[donors])
        own, own_steps = self._errors(made, batch.motion)
        other, other_steps = self._errors(crossed, batch.motion)
        terms = {
            "self": own.mean(),
            "cross": _mean(other, exchanged),
            "velocity": own_steps.mean() + _mean(other_steps, exchanged),
            "classification": self._misheard(felt, batch),
        }
        weights = {
            "self": config.self_weight,
            "cross": config.cross_weight,
            "velocity": config.velocity_weight,
            "classification": config.classification_weight,
        }
        total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the errors of the motion made of a row's own sound; speakers who are not trained perform as
        the first person.

        `score` is the lip vertex error in mm where the vertex distance is weighed, else the loss of the
        reconstruction.
        """
        errors, steps, lips, right = [], [], [], []
        for batch in batches:
            frames = batch.motion.shape[1]
            felt = self.model.felt(batch.sound, frames)
            made = self._made(batch, self.model.content(batch.sound, frames), felt)
            error, step = self._errors(made, batch.motion)
            errors.append(error)
            steps.append(step)
            if self.surface is not None:
                lip_mm = self.surface.lip_error_mm(self.surface(made), self.surface(batch.motion))
                lips.append(lip_mm.mean(1))
            label = self.labels[batch.emotion]
            found = self.model.classifier(felt).argmax(-1)
            right.append((found == label)[label != _NO_LABEL].float())
        mean, guessed = float(torch.cat(errors).mean()), torch.cat(right)
        measures = {"score": mean, "reconstruction": mean, "velocity": float(torch.cat(steps).mean())}
        if lips:
            measures["lip_error_mm"] = measures["score"] = float(torch.cat(lips).mean())
        if len(guessed):
            measures["emotion_accuracy"] = float(guessed.mean())
        return measures

    def _made(
        self,
        batch: Batch,
        content: Float[Tensor, "batch frames content_width"],
        felt: Float[Tensor, "batch frames hidden"],
    ) -> Float[Tensor, "batch frames values"]:
        person = batch.speaker.clamp_min(0)
        made: Tensor = self.model(content, felt, batch.level, person, batch.neutral)
        return made

    def _errors(
        self, made: Float[Tensor, "batch frames values"], true: Float[Tensor, "batch frames values"]
    ) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch"]]:
        """Return the error of each row, and that of its frame-to-frame steps."""
        weight = self.config.coefficient_weight * self.scale**2
        apart = made - true
        error = weight * apart.square().mean((1, 2))
        steps = weight * apart.diff(dim=1).square().mean((1, 2))
        if self.surface is not None:
            placed, aim = self.surface(made), self.surface(true)
            far = (placed - aim).square().mean(-1) * self.surface.weight
            moved = (placed - aim).diff(dim=1).square().mean(-1) * self.surface.weight
            error = error + self.config.vertex_weight * far.mean((1, 2))
            steps = steps + self.config.vertex_weight * moved.mean((1, 2))
        return error, steps

    def _misheard(self, felt: Float[Tensor, "batch frames hidden"], batch: Batch) -> Float[Tensor, ""]:
        """Return the cross-entropy of the rows whose emotion the classifier knows; zero if there are none."""
        label = self.labels[batch.emotion]
        known = label != _NO_LABEL
        logits = self.model.classifier(felt).float()
        each = F.cross_entropy(logits, label.clamp_min(0), reduction="none")
        return _mean(each, known)


def same_emotion(emotion: Int[Tensor, "rows"], speaker: Int[Tensor, "rows"]) -> Int[Tensor, "rows"]:
    """Return, for each row, another row with its emotion, of the same speaker if there is one; without any,
    the row itself. Of several the next one counts, around the end of the batch.
    """
    rows = torch.arange(len(emotion), device=emotion.device)
    ahead = (rows[None, :] - rows[:, None]) % len(rows)
    fits = (emotion[None, :] == emotion[:, None]) & (ahead > 0)
    # Among those that fit: first the same speaker's, then the nearest.
    cost = ahead + len(rows) * (speaker[None, :] != speaker[:, None])
    nearest = torch.where(fits, cost, 2 * len(rows)).argmin(1)
    return torch.where(fits.any(1), nearest, rows)


def _mean(each: Float[Tensor, "rows"], chosen: Bool[Tensor, "rows"]) -> Float[Tensor, ""]:
    """Return the mean over the chosen rows; zero if none is chosen."""
    return (each * chosen).sum() / chosen.sum().clamp_min(1)
