"""What the training loop asks of a method."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from talkcli.engine.train.batches import Batch


@runtime_checkable
class Objective(Protocol):
    """A model and what is minimised to train it."""

    @property
    def model(self) -> nn.Module: ...

    def to(self, device: torch.device) -> None:
        """Move the model and whatever the loss needs."""

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Terms by name for the log; the one called `loss` is minimised. `progress` runs from 0 to 1 over
        training.

        May draw from torch's global generators, which the loop seeds before every step.
        """

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Measures by name; the one called `score` decides which checkpoint is best (lower is better)."""
