"""Distances of motions, in coefficients and on the head's surface.

Axis names: `batch`, `frames` (25 fps), `coeffs`, `chosen` (vertices).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.head import Head


class Surface(nn.Module):
    """Chosen vertices of a head and how much each counts; millimetres, so that errors are near one."""

    chosen: Int[Tensor, "chosen"]
    weight: Float[Tensor, "chosen"]

    def __init__(self, head: Head, *, vertices: int, lip_weight: float, seed: int = 0) -> None:
        """All lip vertices up to half of `vertices`, the rest from the whole face; the choice depends on
        `seed`.
        """
        super().__init__()
        self.head = head
        generator = torch.Generator().manual_seed(seed)
        lips = torch.as_tensor(head.regions["lips"], dtype=torch.long)
        lips = lips[torch.randperm(len(lips), generator=generator)][: max(vertices // 2, 1)]
        others = torch.randperm(len(head.template), generator=generator)
        others = others[~torch.isin(others, lips)][: max(vertices - len(lips), 0)]
        weight = torch.cat([torch.full((len(lips),), lip_weight), torch.ones(len(others))])
        self.num_lips = len(lips)
        self.register_buffer("chosen", torch.cat([lips, others]), persistent=False)
        self.register_buffer("weight", weight / weight.mean(), persistent=False)

    def forward(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Float[Tensor, "batch frames chosen 3"]:
        """Positions of the chosen vertices in millimetres, lips first."""
        flat = self.head(coeffs.flatten(0, 1), only=self.chosen) * 1000
        return flat.view(*coeffs.shape[:2], *flat.shape[1:])

    def squared_error(
        self, made: Float[Tensor, "batch frames chosen 3"], true: Float[Tensor, "batch frames chosen 3"]
    ) -> Float[Tensor, ""]:
        """Weighted mean square over vertices and axes, mm^2."""
        return ((made - true).square().mean(-1) * self.weight).mean()

    def lip_error_mm(
        self, made: Float[Tensor, "batch frames chosen 3"], true: Float[Tensor, "batch frames chosen 3"]
    ) -> Float[Tensor, "batch frames"]:
        """Largest distance of a lip vertex per frame; its mean is the lip vertex error on this head."""
        return (made - true)[:, :, : self.num_lips].norm(dim=-1).amax(-1)


def velocity_error(
    made: Float[Tensor, "batch frames chosen 3"], true: Float[Tensor, "batch frames chosen 3"]
) -> Float[Tensor, ""]:
    """Mean square difference of frame-to-frame steps."""
    return F.mse_loss(made.diff(dim=1), true.diff(dim=1))
