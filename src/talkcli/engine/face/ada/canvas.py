"""What the deformers work on: the skin at rest with the fields that say where on the face a vertex is.

Axis names: `verts`. Millimetres.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import arch, curves, field, rings, weights
from talkcli.engine.face.ada.skin import Skin

Weights = Float[np.ndarray, "verts"]
Deltas = Float[np.ndarray, "verts 3"]


# How near lips come to the outline of the teeth.
OFF_TEETH = 1.25


class Canvas:
    """Fields on the skin: `side` (+1 left, -1 right), `upper` (upper lip and above), `jaw`, `off_lids` (0 at
    the edge of the lids), `red` (0 at the parting, 1 at the border of the lips, beyond -1), `s` (midline to
    corner)."""

    def __init__(self, shape: Skin) -> None:
        self.shape = shape
        self.p = shape.vertices
        self.x = np.abs(self.p[:, 0])
        self.y, self.z = self.p[:, 1], self.p[:, 2]
        self.side = np.sign(self.p[:, 0])
        self.upper = weights.upper_side(shape)
        self.jaw = weights.jaw(shape)
        self.s = np.clip(self.x / curves.MOUTH_HALF_WIDTH, 0.0, 1.0)
        self.off_lids = np.ones(len(self.p))
        self.red = np.full(len(self.p), -1.0)
        for half in (shape.lips, shape.mirror[shape.lips]):
            for ring, share in enumerate(rings.RED):
                self.red[half[shape.bag_rings + ring]] = share
        for half in (shape.lids, shape.mirror[shape.lids]):
            self.off_lids[half[: shape.lid_inner_rings]] = 0.0
            for ring, distance in enumerate((0.0, *rings.LID_OUT)):
                self.off_lids[half[shape.lid_inner_rings + ring]] = curves.smoothstep(
                    np.array([distance]), 0.5, 9.5
                )[0]
        self.normals = field.gradient(self.p)

    def spot(self, centre: field.Triple, radii: field.Triple) -> Weights:
        """Return a Gaussian about a point of the left half and its mirror image."""
        q = (np.stack([self.x, self.y, self.z], 1) - np.array(centre)) / np.array(radii)
        return np.exp(-(q * q).sum(1))

    def fold(self, line: list[field.Triple], radius: field.Number) -> Weights:
        """Return a Gaussian about a polyline of the left half and its mirror image."""
        p = np.stack([self.x, self.y, self.z], 1)
        return -field.crease(p, line, radius, 1.0)

    def push(self, weight: Weights, out: field.Number, up: field.Number, forward: field.Number) -> Deltas:
        """Return both sides: `out` away from the midline, `up`, `forward`, in mm, times `weight`."""
        return weight[:, None] * np.stack(
            [out * self.outward(), np.full_like(weight, up), np.full_like(weight, forward)], 1
        )

    def outward(self) -> Weights:
        """Return direction of x away from the midline, fading to zero on it so that it never tears."""
        return self.side * curves.smoothstep(self.x, 0.0, 6.0)

    def swell(self, weight: Weights, amount: field.Number) -> Deltas:
        """Move vertices along their normals, in millimetres."""
        return amount * weight[:, None] * self.normals

    def left(self, both: Deltas) -> Deltas:
        """Return the left half of a symmetric deformation, blended over the midline."""
        return both * curves.smoothstep(self.p[:, 0], -9.0, 9.0)[:, None]

    def carry_bag(self, deltas: Deltas) -> Deltas:
        """The bag's rings follow the line of contact, less and less inwards, and no lip goes through the
        teeth; lid linings stay.
        """
        out = deltas.copy()
        for half in (self.shape.lips, self.shape.mirror[self.shape.lips]):
            contact = half[self.shape.bag_rings]
            for ring in half[: self.shape.bag_rings]:
                out[ring] = rings.follow(self.p[ring], self.p[contact])[:, None] * deltas[contact]
            lips = half[
                self.shape.bag_rings - len(rings.INNER) : self.shape.bag_rings + len(rings.RED)
            ].ravel()
            goal = self.p[lips] + out[lips]
            walls = [row.z(goal[:, 0], OFF_TEETH) for row in (arch.UPPER, arch.LOWER)]
            wall = np.where(goal[:, 1] > arch.UPPER.teeth[0].edge - 0.5, *walls)
            short = np.maximum(wall - goal[:, 2], 0.0)
            # Beside the last molars the outline runs back, and nothing is pushed.
            out[lips, 2] += short * (np.abs(goal[:, 0]) < 0.92 * arch.LOWER.half_width)
        for half in (self.shape.lids, self.shape.mirror[self.shape.lids]):
            out[half[: self.shape.lid_inner_rings]] = 0.0
        return out
