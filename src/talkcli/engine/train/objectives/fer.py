"""Training of FER: cross-entropy on noisy coefficients, with equal weights of rare and common expressions.

Axis names: `batch`, `frames`, `coeffs`, `classes`. Source: DEEPTalk's released code. Its data are single
images, so only the first frame of every window is an example here.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.models.deeptalk.fer import FER_CLASSES, Fer
from talkcli.engine.nn.processes import processes, sum_over_processes
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Share
from talkcli.engine.types import EMOTIONS, Config

# Class index of an emotion that is no class of FER.
_UNKNOWN = -1
# Smallest divisor of the weighted sum, without unit; it avoids 0 / 0 when no row of a batch has a FER class.
_LIGHTEST = 1e-6


class FerObjectiveConfig(Config):
    """Noise on the coefficients of training examples; the defaults are those of the released code."""

    noisy_share: Share = 0.5
    """Share of examples that get noise."""
    noisy_coeffs: Share = 0.7
    """Share of a noisy example's coefficients that get noise."""
    noise_std: Annotated[float, Field(ge=0, le=1000)] = 0.02
    """Standard deviation of the Gaussian noise, in units of the coefficients."""


class FerObjective(nn.Module):
    """Loss and validation measures of FER; both ignore emotions outside `FER_CLASSES`."""

    class_weights: Tensor
    class_of: Tensor

    def __init__(
        self, model: Fer, config: FerObjectiveConfig, class_weights: Float[Tensor, "classes"]
    ) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.register_buffer("class_weights", class_weights)
        known = [FER_CLASSES.index(label) if label in FER_CLASSES else _UNKNOWN for label in EMOTIONS]
        self.register_buffer("class_of", torch.tensor(known))

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        config, coeffs = self.config, batch.motion[:, 0]
        noisy = torch.rand_like(coeffs[:, :1]) < config.noisy_share
        chosen = torch.rand_like(coeffs) < config.noisy_coeffs
        noise = config.noise_std * torch.randn_like(coeffs) * (noisy & chosen)
        total, weight = self._error(self.model(coeffs + noise), self.class_of[batch.emotion])
        # The divisor sums over all processes: the average of their losses is then the loss of all rows.
        return {"loss": total * processes() / sum_over_processes(weight).clamp_min(_LIGHTEST)}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the accuracy, the mean recall over classes, and the loss without noise as the `score`."""
        logits = torch.cat([self.model(batch.motion[:, 0]) for batch in batches])
        true = self.class_of[torch.cat([batch.emotion for batch in batches])]
        known = true != _UNKNOWN
        guessed = logits.argmax(-1)
        total, weight = self._error(logits, true)
        return {
            "score": float(total / weight.clamp_min(_LIGHTEST)),
            "accuracy": float((guessed == true)[known].float().mean()),
            "recall": recall(guessed[known], true[known]),
        }

    def _error(
        self, logits: Float[Tensor, "batch classes"], true: Int[Tensor, "batch"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """Return the weighted sum of the cross-entropy over rows, and the sum of these weights."""
        weights = self.class_weights
        total = F.cross_entropy(logits, true, weights, ignore_index=_UNKNOWN, reduction="sum")
        return total, weights[true[true != _UNKNOWN]].sum()


def class_weights(labels: list[str]) -> Float[Tensor, "classes"]:
    """Return the weight N / (K n) of each class, for a class with n of the N examples of all K classes.

    `labels` are the emotions of the examples. A class without examples has weight 0.
    """
    counts = Counter(label for label in labels if label in FER_CLASSES)
    share = counts.total() / len(FER_CLASSES)
    return torch.tensor([share / counts[label] if counts[label] else 0.0 for label in FER_CLASSES])


def recall(guessed: Int[Tensor, "batch"], true: Int[Tensor, "batch"]) -> float:
    """Return the unweighted average recall: the mean recall over the labels in `true`; 0 without rows."""
    hit: Float[Tensor, "batch"] = (guessed == true).float()
    shares = [hit[true == label].mean() for label in true.unique()]
    return float(torch.stack(shares).mean()) if shares else 0.0
