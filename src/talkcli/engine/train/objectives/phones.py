"""Training of the phone encoder: the phone of every step, from windows of aligned speech.

Axis names: `batch`, `steps` (50 Hz), `phones`. Cross-entropy frame by frame, as in hybrid speech recognition
(Bourlard & Morgan 1994), with smoothed labels: alignments are off by a step now and then.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.phones import BILABIALS, LABIODENTALS
from talkcli.engine.models.deeptalk.phones import SYMBOLS, PhoneEncoder
from talkcli.engine.train.batches import Batch
from talkcli.engine.types import Config

_UNKNOWN = -1
_SILENCE = 0


class PhonesObjectiveConfig(Config):
    """How sure the targets are."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of a target that is spread over all phones."""


class PhonesObjective(nn.Module):
    """The loss of the front-end, and its measures."""

    def __init__(self, model: PhoneEncoder, config: PhonesObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        logits = self.model(batch.sound).logits.float()
        smoothing = self.config.label_smoothing
        return {"loss": _cross_entropy(logits, batch.phones, label_smoothing=smoothing)}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return cross-entropy, the share of spoken steps whose phone is named, and the recall of the steps
        in which lips touch (p, b, m) or lip and teeth do (f, v), each by the summed shares of its phones
        against half; without those that no validation clip says.
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
    """Return mean over the steps whose phone is known; zero, with gradient, where none is."""
    known = (targets != _UNKNOWN).sum().clamp_min(1)
    total = F.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        targets.reshape(-1),
        ignore_index=_UNKNOWN,
        label_smoothing=label_smoothing,
        reduction="sum",
    )
    return total / known
