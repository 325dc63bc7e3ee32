"""What training the toy method minimises: the squared distance of coefficients."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.types import Config
from tests.contracts.toy.model import Toy


class ToyObjectiveConfig(Config):
    """Weights of the terms."""

    coefficient_weight: Weight = 1.0
    """Weight of the mean squared error of the coefficients."""


class ToyObjective(nn.Module):
    """The loss of the toy method, and its measure."""

    def __init__(self, model: Toy, config: ToyObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Give the loss of one batch."""
        error = F.mse_loss(self.model(batch.sound), batch.motion)
        return {"loss": self.config.coefficient_weight * error, "coefficient": error}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Give the error on the validation windows; lower is better."""
        errors = torch.stack([F.mse_loss(self.model(batch.sound), batch.motion) for batch in batches])
        return {"score": float(errors.mean())}
