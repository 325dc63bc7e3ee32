"""What trains MeshTalk: in step 1 its latent, also with exchanged speech; in step 2 its context model.

Axis names: `batch`, `frames`, `values`, `verts`. Source: Richard et al. 2021, sections 3.1 and 3.2, and the
released code (facts H.3). The unit of the published vertices is unknown to us; errors are in mm^2 here.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.errors import UsageError
from talkcli.engine.models.meshtalk.latent import MeshTalkLatent
from talkcli.engine.models.meshtalk.meshtalk import MeshTalk
from talkcli.engine.models.meshtalk.speech import LogPower
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.types import Config


class LatentObjectiveConfig(Config):
    """Weights of the terms of step 1."""

    vertex_weight: Weight = 1.0
    """Weight of the squared error of all coordinates."""
    eye_weight: Weight = 1.0
    """Weight of the same for the eyes alone."""
    crossing_weight: Weight = 1.0
    """Weight of crossing: the mouth follows the speech although the expression is another clip's, and the
    eyes follow the expression although the speech is another clip's."""


class MeshTalkLatentObjective(nn.Module):
    """Loss and validation measures of step 1."""

    mouth: Tensor
    eyes: Tensor

    def __init__(
        self,
        model: MeshTalkLatent,
        config: LatentObjectiveConfig,
        *,
        mouth: Bool[Tensor, "verts"],
        eyes: Bool[Tensor, "verts"],
    ) -> None:
        """Take the model, and which vertices belong to the mouth and to the eyes."""
        super().__init__()
        self.model = model
        self.config = config
        self.register_buffer("mouth", mouth, persistent=False)
        self.register_buffer("eyes", eyes, persistent=False)

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        """Return the loss of one batch and its terms. Raises UsageError for crossing in a batch of one."""
        config, true = self.config, batch.motion
        speech = self._speech(batch)
        made = self._made(batch, speech, true)
        terms = {"vertex": _error(made, true), "eye": _error(made, true, self.eyes)}
        loss = config.vertex_weight * terms["vertex"] + config.eye_weight * terms["eye"]
        if config.crossing_weight > 0:
            if len(batch) < 2:
                raise UsageError("Crossing exchanges clips, but a part of the batch has one alone.")
            shift = int(torch.randint(1, len(batch), ()))
            by_speech = self._made(batch, speech, true.roll(shift, 0))
            by_face = self._made(batch, speech.roll(shift, 0), true)
            terms["crossing"] = _error(by_speech, true, self.mouth) + _error(by_face, true, self.eyes)
            loss = loss + config.crossing_weight * terms["crossing"]
        return {"loss": loss, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return in mm the mean of a frame's largest error of a mouth's vertex, which is the `score`, and the
        root of the mean squared distance.
        """
        lips, errors = [], []
        for batch in batches:
            made = self._made(batch, self._speech(batch), batch.motion)
            distance = (made - batch.motion).unflatten(2, (-1, 3)).norm(dim=-1) * 1000
            lips.append((distance[..., self.mouth] if self.mouth.any() else distance).amax(-1).mean())
            errors.append(distance.square().mean())
        lip_mm = float(torch.stack(lips).mean())
        return {"score": lip_mm, "lip_error_mm": lip_mm, "error_mm": float(torch.stack(errors).mean().sqrt())}

    def _speech(self, batch: Batch) -> Float[Tensor, "batch frames width"]:
        return self.model.speech.of_frames(batch.sound[LogPower.name])

    def _made(
        self,
        batch: Batch,
        speech: Float[Tensor, "batch frames width"],
        faces: Float[Tensor, "batch frames values"],
    ) -> Float[Tensor, "batch frames values"]:
        assert batch.neutral is not None
        latent = self.model.drawn(self.model.latent(speech, faces))
        return self.model.mesh(batch.neutral.flatten(1), latent)


class ContextObjectiveConfig(Config):
    """Settings of the loss of step 2."""

    label_weight: Weight = 1.0
    """Weight of the cross entropy of the classes, in nats."""


class MeshTalkObjective(nn.Module):
    """Loss and validation measures of step 2."""

    def __init__(self, model: MeshTalk, config: ContextObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        """Return the loss of one batch: the cross entropy of the true faces' classes."""
        logs, labels = self.model(batch.sound, batch.motion)
        entropy = F.nll_loss(logs.flatten(0, 2), labels.flatten())
        return {"loss": self.config.label_weight * entropy, "entropy": entropy}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the cross entropy, which is the `score`, and the share of the classes that are told."""
        found = [self.model(batch.sound, batch.motion) for batch in batches]
        entropy = [F.nll_loss(logs.flatten(0, 2), labels.flatten()) for logs, labels in found]
        told = [(logs.argmax(-1) == labels).float().mean() for logs, labels in found]
        score = float(torch.stack(entropy).mean())
        return {"score": score, "entropy": score, "accuracy": float(torch.stack(told).mean())}


def _error(
    made: Float[Tensor, "batch frames values"],
    true: Float[Tensor, "batch frames values"],
    verts: Bool[Tensor, "verts"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean squared error of coordinates in mm^2; with `verts` of these alone, 0 for none."""
    squared = ((made - true) * 1000).square()
    if verts is None:
        return squared.mean()
    chosen = verts.repeat_interleave(3).to(squared)
    return (squared * chosen).sum() / (chosen.sum() * squared.shape[0] * squared.shape[1]).clamp_min(1)
