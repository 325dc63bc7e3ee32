"""Skin colour: a warm base, redder where blood is near, the red of the lips, and baked soft shadow.

Axis names: `verts`. Linear RGB.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import curves, field, hair
from talkcli.engine.face.ada.skin import Skin

BASE = np.array([0.560, 0.315, 0.225])
FLUSH = np.array([0.550, 0.215, 0.160])
PALE = np.array([0.600, 0.365, 0.265])
UNDER_EYE = np.array([0.430, 0.230, 0.180])
RED = np.array([0.440, 0.165, 0.135])
RED_DEEP = np.array([0.300, 0.080, 0.070])
BAG = np.array([0.380, 0.110, 0.095])
THROAT = np.array([0.060, 0.012, 0.010])
WATERLINE = np.array([0.500, 0.215, 0.180])
NOSTRIL = np.array([0.060, 0.020, 0.016])


def skin(shape: Skin, normals: Float[np.ndarray, "verts 3"]) -> Float[np.ndarray, "verts 3"]:
    """Colour of every skin vertex at rest."""
    p = shape.vertices.copy()
    p[:, 0] = np.abs(p[:, 0])
    colour = np.tile(BASE, (len(p), 1))

    def blend(towards: np.ndarray, weight: Float[np.ndarray, "verts"]) -> None:
        colour[:] = colour + (towards - colour) * weight[:, None]

    def spot(centre: field.Triple, radii: field.Triple) -> Float[np.ndarray, "verts"]:
        return np.exp(-(((p - np.array(centre)) / np.array(radii)) ** 2).sum(1))

    blend(PALE, 0.6 * spot((0, 50, 90), (45, 28, 40)))
    blend(FLUSH, 0.55 * spot((40, -32, 70), (20, 15, 30)))
    blend(FLUSH, 0.55 * spot((0, -38, 115), (13, 11, 16)))
    blend(FLUSH, 0.25 * spot((0, -100, 95), (16, 10, 20)))
    blend(UNDER_EYE, 0.50 * spot((29, -11, 80), (13, 6, 12)))
    blend(UNDER_EYE, 0.45 * spot((32, 10, 82), (17, 6, 12)))
    open_to_light = np.clip(field.occlusion(shape.vertices, normals), 0.0, 1.0)
    colour *= (0.72 + 0.28 * open_to_light)[:, None]
    # Skin under the brow hairs and at the hairline takes their colour.
    x, y = hair.brow_line(np.linspace(0.0, 1.0, 40))
    t = np.linspace(0.0, 1.0, 40)
    gap = np.hypot(p[:, :1] - x, p[:, 1:2] - y) / (3.8 * (1.0 - t**2.2) + 1.2)
    blend(hair.BROW * 1.5, 0.55 * np.exp(-(gap.min(1) ** 2)) * (p[:, 2] > 40))
    blend(hair.HAIR * 2.0, 0.75 * (1.0 - curves.smoothstep(hair.cover(p), 0.97, 1.09)))
    for half in (shape.lips, shape.mirror[shape.lips]):
        bag = half[: shape.bag_rings]
        for ring, ids in enumerate(bag):
            depth = np.clip(ring / (shape.bag_rings - 1), 0.0, 1.0)
            colour[ids] = THROAT + (BAG - THROAT) * depth**1.5
        colour[bag[-1]] = RED_DEEP
        for ring, ids in enumerate(half[shape.bag_rings : shape.bag_rings + 7]):
            strength = (1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.35)[ring]
            target = RED_DEEP + (RED - RED_DEEP) * (0.35, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0)[ring]
            colour[ids] += (target - colour[ids]) * strength
    for half in (shape.nostrils, shape.mirror[shape.nostrils]):
        colour[half[:2]] = NOSTRIL
        colour[half[2]] *= 0.6
    for half in (shape.lids, shape.mirror[shape.lids]):
        colour[half[0]] = WATERLINE * 0.6
        colour[half[1]] = WATERLINE
        upper = np.arange(half.shape[1]) < half.shape[1] // 2 + 1
        colour[half[2]] = np.where(upper[:, None], BASE * 0.22, BASE * 0.62)
    return colour
