"""Training of the phone encoder: it predicts the phone of every step from windows of aligned speech.

Axis names: `batch`, `steps` (50 Hz), `phones`. The loss is the cross-entropy of each step, as in hybrid
speech recognition (Bourlard & Morgan 1994), with smoothed labels, because some alignments are off by a step.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.phones import BILABIALS, LABIODENTALS
from talkcli.engine.models.phones import SYMBOLS, PhoneEncoder
from talkcli.engine.train.batches import Batch
from talkcli.engine.types import Config

# Target of a step without alignment.
_UNKNOWN = -1
# Index of silence in `SYMBOLS`.
_SILENCE = 0


class PhonesObjectiveConfig(Config):
    """Certainty of the targets of the phone encoder."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of a target's probability that is spread evenly over all phones."""


class PhonesObjective(nn.Module):
    """Loss and validation measures of the phone encoder."""

    def __init__(self, model: PhoneEncoder, config: PhonesObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        logits = self.model(batch.sound).logits.float()
        smoothing = self.config.label_smoothing
        return {"loss": _cross_entropy(logits, batch.phones, label_smoothing=smoothing)}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the cross-entropy as `score`, the accuracy over spoken steps, and two recalls.

        `lips` is the recall of steps of p, b and m, `teeth` that of f and v. A step is recalled if the summed
        probability of the group's phones exceeds 0.5. Measures without a step in the batches are left out.
        """
        logits = torch.cat([self.model(batch.sound).logits.float() for batch in batches]).flatten(0, 1)
        targets = torch.cat([batch.phones for batch in batches]).flatten()
        spoken = targets > _SILENCE
        found = {"score": float(_cross_entropy(logits, targets))}
        if spoken.any():
            found["accuracy"] = float((logits.argmax(-1) == targets)[spoken].float().mean())
        for name, group in (("lips", BILABIALS), ("teeth", LABIODENTALS)):
            members = torch.tensor([SYMBOLS.index(symbol) for symbol in sorted(group)], device=targets.device)
            said = torch.isin(targets, members)
            if said.any():
                sure = logits[said].softmax(-1)[:, members].sum(-1) > 0.5
                found[name] = float(sure.float().mean())
        return found


def _cross_entropy(logits: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean over the steps whose phone is known; a differentiable zero if there is none."""
    known = (targets != _UNKNOWN).sum().clamp_min(1)
    total = F.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        targets.reshape(-1),
        ignore_index=_UNKNOWN,
        label_smoothing=label_smoothing,
        reduction="sum",
    )
    return total / known
