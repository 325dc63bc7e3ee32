"""Distances of motions, in coefficients and on the head's surface.

Axis names: `batch`, `frames` (25 fps), `values` of a frame, `chosen` (vertices), `lips` (some of these).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.head import Head
from talkcli.engine.face.topology import Topology, region


class SurfaceDistance(nn.Module):
    """Distances of vertices, each with its weight; millimetres, so that errors are near one.

    `chosen` is None for all vertices; `lips` says where lip vertices stand among those looked at.
    """

    chosen: Int[Tensor, "chosen"] | None
    lips: Int[Tensor, "lips"]
    weight: Float[Tensor, "chosen"]

    def __init__(self, head: Topology, *, vertices: int | None, lip_weight: float, seed: int = 0) -> None:
        """Choose the vertices of `head`: lips up to half of the number `vertices`, the rest from the whole
        face, drawn by `seed`. None takes all, as DEEPTalk does.

        Args:
            head: a head, whose coefficients `forward` takes, or the mesh of vertices, which it takes then.
            lip_weight: weight of a lip vertex, where any other has 1.

        Raises:
            AssetError: where `head` has no region lips.
        """
        super().__init__()
        self.head = head
        lips = torch.as_tensor(region(head, "lips"), dtype=torch.long)
        chosen = None
        if vertices is not None:
            chosen, num_lips = _draw(len(head.template), lips, vertices, seed)
            lips = torch.arange(num_lips)
        weight = torch.ones(len(head.template) if chosen is None else len(chosen))
        weight[lips] = lip_weight
        self.register_buffer("chosen", chosen, persistent=False)
        self.register_buffer("lips", lips, persistent=False)
        self.register_buffer("weight", weight / weight.mean(), persistent=False)

    def forward(self, motion: Float[Tensor, "batch frames values"]) -> Float[Tensor, "batch frames chosen 3"]:
        """Compute the positions of the chosen vertices in millimetres, of coefficients or of x, y, z of
        vertex after vertex in metres; in float32 under autocast, which would round them by tenths of a
        millimetre.
        """
        with torch.autocast(motion.device.type, enabled=False):
            rows = motion.float().flatten(0, 1)
            if isinstance(self.head, Head):
                flat = self.head(rows, only=self.chosen) * 1000
            else:
                flat = rows.unflatten(1, (-1, 3)) * 1000
                flat = flat if self.chosen is None else flat[:, self.chosen]
        return flat.view(*motion.shape[:2], *flat.shape[1:])

    def squared_error(
        self, made: Float[Tensor, "batch frames chosen 3"], true: Float[Tensor, "batch frames chosen 3"]
    ) -> Float[Tensor, ""]:
        """Return weighted mean square over vertices and axes, mm^2."""
        return ((made - true).square().mean(-1) * self.weight).mean()

    def lip_error_mm(
        self, made: Float[Tensor, "batch frames chosen 3"], true: Float[Tensor, "batch frames chosen 3"]
    ) -> Float[Tensor, "batch frames"]:
        """Return largest distance of a lip vertex per frame; its mean is the lip vertex error on this
        head.
        """
        return (made - true)[:, :, self.lips].norm(dim=-1).amax(-1)


def velocity_error(
    made: Float[Tensor, "batch frames chosen 3"], true: Float[Tensor, "batch frames chosen 3"]
) -> Float[Tensor, ""]:
    """Return mean square difference of frame-to-frame steps."""
    return F.mse_loss(made.diff(dim=1), true.diff(dim=1))


def _draw(
    num_verts: int, lips: Int[Tensor, "lips"], vertices: int, seed: int
) -> tuple[Int[Tensor, "chosen"], int]:
    """Return lip vertices up to half of `vertices`, then others; and how many the first are."""
    generator = torch.Generator().manual_seed(seed)
    lips = lips[torch.randperm(len(lips), generator=generator)][: max(vertices // 2, 1)]
    others = torch.randperm(num_verts, generator=generator)
    others = others[~torch.isin(others, lips)][: max(vertices - len(lips), 0)]
    return torch.cat([lips, others]), len(lips)
