"""Training of any motion prior: reconstruction on the head's surface, and the regulariser of its tokens.

Axis names: `batch`, `frames`, `coeffs`. Source: DEEPTalk, section 3.2; the defaults are the released weights.
Vertices are in millimetres here: the released weight 1e6 for square metres is 1, the paper's 1e5 is 0.1.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.head import Head
from talkcli.engine.losses.motion import SurfaceDistance, velocity_error
from talkcli.engine.metrics.code_usage import code_shares, perplexity, usage
from talkcli.engine.models.deeptalk.prior import AnyPrior
from talkcli.engine.models.emote.flint import Flint
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.types import Config


class PriorObjectiveConfig(Config):
    """Weights of the terms of a prior's loss, and the measure that selects the best checkpoint."""

    vertex_weight: Weight = 1.0
    """Weight of the squared vertex distance in mm^2."""
    regulariser_weight: Weight = 1.0
    """Weight of the commitment loss of the codes, or of a VAE's divergence, for which FLINT uses 1e-3."""
    coefficient_weight: Weight = 0.0
    """Weight of the squared distance of coefficients, standardised where the prior standardises them; it
    preserves channels that move few vertices."""
    velocity_weight: Weight = 0.0
    """Weight of the squared difference of the vertices' frame-to-frame steps, in mm^2."""
    vertices: Annotated[int, Field(gt=1, le=10**6)] | None = None
    """Number of vertices that the vertex distance compares, half of them on the lips; null: all."""
    lip_weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    """Weight of a lip vertex relative to any other vertex."""
    best_by: Literal["vertex", "lips"] = "vertex"
    """Measure that selects the best checkpoint: the squared vertex distance, or the lip vertex error."""


class PriorObjective(nn.Module):
    """Loss and validation measures of a motion prior."""

    def __init__(self, model: AnyPrior | Flint, config: PriorObjectiveConfig, head: Head) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.surface = SurfaceDistance(head, vertices=config.vertices, lip_weight=config.lip_weight)

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        """Return the loss of one batch and its terms. Train mode updates codebooks and draws latents."""
        config, scale = self.config, self.model.motion_scale
        coded = self.model(batch.motion)
        made, true = self.surface(coded.coeffs), self.surface(batch.motion)
        terms = {"vertex": self.surface.squared_error(made, true), "regulariser": coded.regulariser}
        total = config.vertex_weight * terms["vertex"] + config.regulariser_weight * terms["regulariser"]
        if config.coefficient_weight > 0:
            terms["coefficient"] = F.mse_loss(scale(coded.coeffs), scale(batch.motion))
            total = total + config.coefficient_weight * terms["coefficient"]
        if config.velocity_weight > 0:
            # The steps of all vertices of a large batch are gigabytes: compute them only if they count.
            terms["velocity"] = velocity_error(made, true)
            total = total + config.velocity_weight * terms["velocity"]
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the errors in mm or mm^2, used share and perplexity of each codebook, and the `score` by
        `best_by`.
        """
        lips, vertices, squares, codes = [], [], [], []
        for batch in batches:
            coded = self.model(batch.motion)
            made, true = self.surface(coded.coeffs), self.surface(batch.motion)
            lips.append(self.surface.lip_error_mm(made, true).flatten())
            vertices.append((made - true).norm(dim=-1).mean(-1).flatten())
            squares.append(self.surface.squared_error(made, true).repeat(len(made)))
            codes.append(coded.codes)
        books: dict[str, float] = {}
        for level, parts in zip(self.model.levels, zip(*codes, strict=True), strict=False):
            used = torch.cat([part.flatten() for part in parts]).cpu().numpy()
            shares = code_shares(used, level.outputs)
            books |= {f"{level.name}_usage": usage(shares), f"{level.name}_perplexity": perplexity(shares)}
        lip_mm, vertex_mm2 = float(torch.cat(lips).mean()), float(torch.cat(squares).mean())
        return {
            "score": lip_mm if self.config.best_by == "lips" else vertex_mm2,
            "lip_error_mm": lip_mm,
            "vertex_error_mm": float(torch.cat(vertices).mean()),
            "vertex_mm2": vertex_mm2,
            **books,
        }
