"""What trains CodeTalker: its auto-encoder on motion alone, then its predictor after the true frames.

Axis names: `batch`, `frames`, `values`, `tokens`, `channels`. Source: CodeTalker, equations 3 and 8, and the
released code (facts H.2). Errors are in the unit of the values (metres for vertices), as published, since
the loss of the codes has no unit.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.metrics.code_usage import code_shares, perplexity, usage
from talkcli.engine.models.codetalker.autoencoder import CodeTalkerVq
from talkcli.engine.models.codetalker.codetalker import CodeTalker
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.types import Config


class CodeTalkerVqObjectiveConfig(Config):
    """Weights of the auto-encoder's loss."""

    value_weight: Weight = 1.0
    """Weight of the mean absolute error of the values of a frame."""
    codebook_weight: Weight = 1.0
    """Weight of the loss of the codes, which pulls them and the encoder's vectors to each other."""


class CodeTalkerVqObjective(nn.Module):
    """Loss and validation measures of the auto-encoder."""

    def __init__(self, model: CodeTalkerVq, config: CodeTalkerVqObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        """Return the loss of one batch and its terms."""
        true = batch.offsets
        made = self.model(true)
        terms = {"value": F.l1_loss(made.motion, true), "codebook": made.loss}
        total = self.config.value_weight * terms["value"] + self.config.codebook_weight * terms["codebook"]
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the mean absolute error, which is the `score`, and how many codes are used how evenly."""
        errors, codes = [], []
        for batch in batches:
            true = batch.offsets
            made = self.model(true)
            errors.append(F.l1_loss(made.motion, true))
            codes.append(made.codes.flatten())
        error = float(torch.stack(errors).mean())
        shares = code_shares(torch.cat(codes).cpu().numpy(), self.model.config.codes)
        return {
            "score": error,
            "error": error,
            "code_usage": usage(shares),
            "code_perplexity": perplexity(shares),
        }


class CodeTalkerObjectiveConfig(Config):
    """Weights of the predictor's loss."""

    motion_weight: Weight = 1.0
    """Weight of the mean squared error of the decoded values."""
    feature_weight: Weight = 1.0
    """Weight of the mean squared distance of the predicted vectors from the codes of the true motion."""


class CodeTalkerObjective(nn.Module):
    """Loss and validation measures of the predictor; every frame follows the true ones."""

    def __init__(self, model: CodeTalker, config: CodeTalkerObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        """Return the loss of one batch and its terms."""
        told = batch.offsets
        made = self.model(batch.sound, batch.speaker, told)
        # Frames without sound are left out, as published.
        true = told[:, : made.offsets.shape[1]]
        with torch.no_grad():
            targets = self.model.prior.quantised_targets(true)
        terms = {
            "motion": F.mse_loss(made.offsets, true),
            "feature": F.mse_loss(made.features, targets),
        }
        total = self.config.motion_weight * terms["motion"] + self.config.feature_weight * terms["feature"]
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the mean loss, which is the `score`, and the root of the mean of each term."""
        found = [self(batch, 1.0) for batch in batches]
        means = {name: float(torch.stack([each[name] for each in found]).mean()) for name in found[0]}
        return {
            "score": means["loss"],
            "error": means["motion"] ** 0.5,
            "feature_error": means["feature"] ** 0.5,
        }
