"""What trains FaceFormer: the squared distance of its motion, which follows its own or the true frames.

Axis names: `batch`, `frames`, `values`, `heard` (frames whose sound is there). Source: FaceFormer, section
3.4, and the released code (facts H.1). The published loss is the mean square in the unit of the vertices;
here it is in thousandths of that unit (millimetres), a million times as large, so that Adam needs a million
times the epsilon to make the published steps. Differs: validation is by the model's own frames, as it
performs; the released code validates by the true frames.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.head import Head
from talkcli.engine.models.faceformer import FaceFormer
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.train.objectives.surface_terms import SurfaceTerms


class FaceFormerObjectiveConfig(SurfaceTerms):
    """Terms of the loss."""

    teacher_forcing: bool = False
    """Whether each frame follows the true frames; false: its own, as published, also in training."""
    value_weight: Weight = 1.0
    """Weight of the squared error of the values of a frame: vertices in mm^2, or coefficients."""


class FaceFormerObjective(nn.Module):
    """Loss and validation measures of FaceFormer."""

    def __init__(
        self, model: FaceFormer, config: FaceFormerObjectiveConfig, head: Head | None = None
    ) -> None:
        """Take the model, and the head for terms of the surface; None for a model of vertices."""
        super().__init__()
        self.model = model
        self.config = config
        self.surface = config.surface(head)
        # Metres become millimetres; coefficients stay.
        self.scale = 1.0 if model.neutral is None else 1000.0

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        """Return the loss of one batch and its terms."""
        config = self.config
        made, true = self._made(batch, taught=config.teacher_forcing)
        terms = {"value": self._error(made, true)}
        total = config.value_weight * terms["value"]
        total = config.with_surface(total, terms, self.surface, made, true)
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the errors of the motion that follows its own frames, and of that after the true ones.

        `score` is the lip vertex error in mm where a head is there, else the root of the squared error.
        """
        own, taught, lips = [], [], []
        for batch in batches:
            made, true = self._made(batch, taught=False)
            own.append(self._error(made, true))
            if self.surface is not None:
                shown, real = self.surface(made), self.surface(true)
                lips.append(self.surface.lip_error_mm(shown, real).mean())
            taught.append(self._error(*self._made(batch, taught=True)))
        measures = {
            "error": float(torch.stack(own).mean().sqrt()),
            "taught_error": float(torch.stack(taught).mean().sqrt()),
        }
        if lips:
            measures["lip_error_mm"] = float(torch.stack(lips).mean())
        return {"score": measures.get("lip_error_mm", measures["error"]), **measures}

    def _made(
        self, batch: Batch, *, taught: bool
    ) -> tuple[Float[Tensor, "batch heard values"], Float[Tensor, "batch heard values"]]:
        """Return the offsets that the model makes, and the true ones."""
        true = batch.offsets
        made = self.model(batch.sound, batch.speaker, true.shape[1], true if taught else None)
        return made, true[:, : made.shape[1]]

    def _error(
        self, made: Float[Tensor, "batch heard values"], true: Float[Tensor, "batch heard values"]
    ) -> Float[Tensor, ""]:
        return F.mse_loss(self.scale * made, self.scale * true)
