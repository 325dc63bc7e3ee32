"""Training of the motion prior: reconstruction on the head's surface, and the commitment to codes.

Axis names: `batch`, `frames`, `coeffs`. DEEPTalk, section 3.2. The released weight of 1e6 on metres squared
is 1 on the square millimetres used here.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.face.head import Head
from talkcli.engine.losses.motion import Surface, velocity_error
from talkcli.engine.models.th_vqvae import ThVqvae
from talkcli.engine.train.batches import Batch
from talkcli.engine.types import Config


class ThVqvaeObjectiveConfig(Config):
    """Weights of the terms."""

    vertex_weight: float = 1.0
    """Of the squared vertex distance in mm^2."""
    commitment_weight: float = 1.0
    coefficient_weight: float = 0.0
    """Of the squared distance of standardised coefficients: keeps channels that move few vertices."""
    velocity_weight: float = 0.0
    """Of the squared difference of vertex steps, mm^2."""
    vertices: int = 1000
    """Vertices looked at; half of them on the lips."""
    lip_weight: float = 1.0
    """Of a lip vertex against any other."""


class ThVqvaeObjective:
    """The loss of the motion prior, and its measures."""

    def __init__(self, model: ThVqvae, config: ThVqvaeObjectiveConfig, head: Head) -> None:
        self.model = model
        self.config = config
        self.surface = Surface(head, vertices=config.vertices, lip_weight=config.lip_weight)

    def to(self, device: torch.device) -> None:
        self.model.to(device)
        self.surface.to(device)

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        config, scale = self.config, self.model.motion_scale
        coded = self.model(batch.coeffs)
        made, true = self.surface(coded.coeffs), self.surface(batch.coeffs)
        terms = {
            "vertex": self.surface.squared_error(made, true),
            "coefficient": F.mse_loss(scale(coded.coeffs), scale(batch.coeffs)),
            "velocity": velocity_error(made, true),
            "commitment": coded.commitment,
        }
        total = (
            config.vertex_weight * terms["vertex"]
            + config.coefficient_weight * terms["coefficient"]
            + config.velocity_weight * terms["velocity"]
            + config.commitment_weight * terms["commitment"]
        )
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        lips, vertices, top, bottom = [], [], [], []
        for batch in batches:
            coded = self.model(batch.coeffs)
            made, true = self.surface(coded.coeffs), self.surface(batch.coeffs)
            lips.append(self.surface.lip_error_mm(made, true).flatten())
            vertices.append((made - true).norm(dim=-1).mean().reshape(1))
            top.append(coded.top.flatten())
            bottom.append(coded.bottom.flatten())
        lip_mm, codes = float(torch.cat(lips).mean()), self.model.config.codes
        return {
            "score": lip_mm,
            "lip_error_mm": lip_mm,
            "vertex_error_mm": float(torch.cat(vertices).mean()),
            "top_usage": len(torch.cat(top).unique()) / codes,
            "bottom_usage": len(torch.cat(bottom).unique()) / codes,
        }
