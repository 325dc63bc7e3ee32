"""The toy method as a model of vertices: displacements of the face at rest, from the sound of each frame.

Axis names: `batch`, `samples` (16 kHz), `frames` (25 fps), `values` = 3 * verts.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.train.batches import Batch
from talkcli.engine.types import Config
from tests.contracts.toy.model import Toy, ToyConfig


class ToyVertices(Toy):
    """The toy network, whose outputs are millimetres of displacement."""

    method = "toy_vertices"
    neutral: Tensor

    def __init__(self, config: ToyConfig, num_values: int) -> None:
        super().__init__(config, num_values)
        self.register_buffer("neutral", torch.zeros(num_values // 3, 3))

    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        generator: torch.Generator,
    ) -> Float[Tensor, "batch frames values"]:
        """Give ceil(samples / 640) frames of coordinates in metres."""
        return self.neutral.flatten() + super().generate(samples, generator=generator) / 1000


class VerticesObjectiveConfig(Config):
    """Without settings."""


class VerticesObjective(nn.Module):
    """The squared distance of displacements, and its measure."""

    def __init__(self, model: ToyVertices, config: VerticesObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Give the loss of one batch, mm^2."""
        return {"loss": self._error(batch)}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Give the error on the validation windows; lower is better."""
        return {"score": float(torch.stack([self._error(batch) for batch in batches]).mean())}

    def _error(self, batch: Batch) -> Tensor:
        assert batch.neutral is not None
        displacement = (batch.motion - batch.neutral.flatten(1)[:, None]) * 1000
        return F.mse_loss(self.model(batch.sound), displacement)
