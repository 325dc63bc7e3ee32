"""What the second stages of generators share: lip reading, and the exchange of emotions between rows.

Axis names: `batch`, `some` of its rows.
"""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from talkcli.engine.errors import UsageError
from talkcli.engine.losses.lip_reading import LipReading
from talkcli.engine.train.objective import Weight
from talkcli.engine.types import Config


class LipReadingTerms(Config):
    """Weights of the terms that read lips, and how these are drawn."""

    lip_reading_weight: Weight = 0.0
    """Weight of one minus the cosine of a lip reader's features of the true and of the generated motion."""
    swap_lip_reading_weight: Weight = 0.0
    """Weight of lip reading for motion with a swapped emotion, against the true lips of the same words."""
    lip_crop_follows: bool = False
    """Let gradients of lip reading flow through the place of the crop, which moves with the mouth. The
    published loss holds the crop still; its gradients for an opening mouth are several times too small, or
    of the wrong sign."""
    lip_recompute: bool = False
    """Render and read each clip again in the backward pass: it takes less memory and 27 to 53 % more time."""

    @property
    def reads_lips(self) -> bool:
        """Whether a term needs a lip reader."""
        return self.lip_reading_weight > 0 or self.swap_lip_reading_weight > 0

    def check_reader(self, lip_reading: LipReading | None) -> None:
        """Raise UsageError when a term needs a lip reader and there is none."""
        if lip_reading is None and self.reads_lips:
            raise UsageError(
                "The recipe weighs lip reading, but no weights of a lip reader are given.",
                hint="Give `lip_reader=FILE`, or set objective.lip_reading_weight and "
                "objective.swap_lip_reading_weight to 0.",
            )


def neighbours(count: int, device: torch.device) -> Int[Tensor, "batch"]:
    """Return for each of `count` rows the one that it exchanges its emotion with: 1, 0, 3, 2, ...

    The last of an odd number of rows has no neighbour and is its own.
    """
    rows = torch.arange(count, device=device)
    return torch.where((rows ^ 1) < count, rows ^ 1, rows)
