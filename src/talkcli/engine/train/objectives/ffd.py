"""Training of FFD's autoencoder: squared error of standardised coefficients, and the divergence of latents.

Axis names: `batch`, `frames`, `coeffs`. Source: DEEPTalk, supplementary material; the weight of the
divergence is FLINT's (Daněček et al. 2023, EMOTE), because the paper states none.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.judges.ffd import FfdVae
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.types import Config


class FfdObjectiveConfig(Config):
    """Weights of the terms."""

    divergence_weight: Weight = 1e-3
    """Weight of the divergence of the latents from the standard Gaussian."""


class FfdObjective(nn.Module):
    """Loss and validation measures of FFD's autoencoder."""

    def __init__(self, model: FfdVae, config: FfdObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        coded = self.model(batch.motion)
        error = F.mse_loss(coded.coeffs, self.model.motion_scale(batch.motion))
        loss = error + self.config.divergence_weight * coded.divergence
        return {"loss": loss, "error": error, "divergence": coded.divergence}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the squared error of standardised coefficients as `score`, and the divergence."""
        error = divergence = count = 0.0
        for batch in batches:
            coded = self.model(batch.motion)
            wanted = self.model.motion_scale(batch.motion)
            error += float(F.mse_loss(coded.coeffs, wanted)) * len(batch)
            divergence += float(coded.divergence) * len(batch)
            count += len(batch)
        return {"score": error / count, "divergence": divergence / count}
