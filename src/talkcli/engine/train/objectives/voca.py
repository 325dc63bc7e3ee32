"""What trains VOCA: the squared distance of its vertices, and of their frame-to-frame steps.

Axis names: `batch`, `frames`, `values`, `chosen` (vertices). Source: Cudeiro et al. 2019, section 4, and the
released code (facts H.7). The published loss is in m^2; here it is in mm^2, a million times as large, so that
Adam needs a million times the epsilon to make the published steps. Differs: the published batches are pairs
of neighbouring frames, here they are stretches of a clip.
"""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from talkcli.engine.face.head import Head
from talkcli.engine.losses.motion import SurfaceDistance
from talkcli.engine.models.voca import Voca
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.types import Config


class VocaObjectiveConfig(Config):
    """Terms of the loss."""

    vertex_weight: Weight = 1.0
    """Weight of the squared distance of a vertex in mm^2, averaged over frames and vertices."""
    velocity_weight: Weight = 10.0
    """Weight of the squared difference of a vertex's frame-to-frame steps, in mm^2."""
    vertices: Annotated[int, Field(gt=1, le=10**6)] | None = None
    """Number of vertices of a head of coefficients that are compared, half of them on the lips; null: all."""
    lip_vertex_weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    """Weight of a lip vertex of a head of coefficients relative to any other vertex."""


class VocaObjective(nn.Module):
    """Loss and validation measures of VOCA."""

    def __init__(self, model: Voca, config: VocaObjectiveConfig, head: Head | None = None) -> None:
        """Take the model, and the head of its coefficients; None for a model of vertices."""
        super().__init__()
        self.model = model
        self.config = config
        self.surface = (
            None
            if head is None
            else SurfaceDistance(head, vertices=config.vertices, lip_weight=config.lip_vertex_weight)
        )

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        """Return the loss of one batch and its terms."""
        made, true = self._surfaces(batch)
        terms = {"vertex": self._squared(made - true), "velocity": self._squared((made - true).diff(dim=1))}
        loss = self.config.vertex_weight * terms["vertex"] + self.config.velocity_weight * terms["velocity"]
        return {"loss": loss, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the errors in mm: `score` is the lip vertex error where a head is there, else the root of
        the squared distance.
        """
        errors, lips = [], []
        for batch in batches:
            made, true = self._surfaces(batch)
            errors.append((made - true).square().sum(-1).mean())
            if self.surface is not None:
                lips.append(self.surface.lip_error_mm(made, true).mean())
        measures = {"error_mm": float(torch.stack(errors).mean().sqrt())}
        if lips:
            measures["lip_error_mm"] = float(torch.stack(lips).mean())
        return {"score": measures.get("lip_error_mm", measures["error_mm"]), **measures}

    def _surfaces(
        self, batch: Batch
    ) -> tuple[Float[Tensor, "batch frames chosen 3"], Float[Tensor, "batch frames chosen 3"]]:
        """Return the vertices that the model makes and the true ones in mm, from the face at rest or from
        the origin, which makes no difference.
        """
        true = batch.offsets
        made = self.model(batch.sound, batch.speaker, true.shape[1]).float()
        if self.surface is not None:
            return self.surface(made), self.surface(true)
        return made.unflatten(2, (-1, 3)) * 1000, true.unflatten(2, (-1, 3)) * 1000

    def _squared(self, difference: Float[Tensor, "batch frames chosen 3"]) -> Float[Tensor, ""]:
        """Return the mean over frames and vertices of the squared length, with the weights of vertices."""
        squared = difference.square().sum(-1)
        return squared.mean() if self.surface is None else (squared * self.surface.weight).mean()
