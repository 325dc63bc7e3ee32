"""Training of vertices on clips of coefficients: a head computes the vertices of every window.

Axis names: `batch`, `frames` (25 fps), `coeffs`, `values` = 3 * verts. The vertices of a whole data set would
not fit into memory: those of a window of 64 frames of the head `ada` are 8 MB.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from talkcli.engine.face.head import Head
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Objective


class OnHead(nn.Module):
    """An `Objective` of vertices that takes batches of the coefficients of a head."""

    template: Tensor

    def __init__(self, objective: Objective, head: Head) -> None:
        """Wrap `objective`, which gets the vertices of `head` in metres."""
        super().__init__()
        self.objective = objective
        self.head = head
        self.register_buffer("template", torch.from_numpy(head.template.copy()), persistent=False)

    @property
    def model(self) -> nn.Module:
        return self.objective.model

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """See `Objective`."""
        return self.objective(self._on_vertices(batch), progress)

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """See `Objective`."""
        return self.objective.validate([self._on_vertices(batch) for batch in batches])

    @torch.no_grad()
    def _on_vertices(self, batch: Batch) -> Batch:
        """Return `batch` with vertices as its motion, in float32 whatever autocast is on."""
        with torch.autocast(batch.motion.device.type, enabled=False):
            vertices = self.head(batch.motion.flatten(0, 1))
        return replace(
            batch,
            motion=vertices.flatten(1).unflatten(0, batch.motion.shape[:2]),
            neutral=self.template.expand(len(batch), -1, -1),
        )
