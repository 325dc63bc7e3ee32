"""Skin colour: a warm base, redder where blood is near, the red of the lips, and baked soft shadow.

Axis names: `verts`. Linear RGB.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import curves, field, hair, rings
from talkcli.engine.face.ada.skin import Skin

BASE = np.array([0.560, 0.315, 0.225])
FLUSH = np.array([0.550, 0.215, 0.160])
PALE = np.array([0.600, 0.365, 0.265])
UNDER_EYE = np.array([0.430, 0.230, 0.180])
RED = np.array([0.480, 0.170, 0.145])
RED_DEEP = np.array([0.300, 0.085, 0.075])
PARTING = np.array([0.110, 0.028, 0.026])
WHITE_ROLL = np.array([0.640, 0.390, 0.295])
INNER_LIP = np.array([0.540, 0.155, 0.130])
BAG = np.array([0.560, 0.160, 0.120])
THROAT = np.array([0.170, 0.030, 0.022])
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
        _mouth(colour, half, shape)
    for half in (shape.nostrils, shape.mirror[shape.nostrils]):
        colour[half[:2]] = NOSTRIL
        colour[half[2]] *= 0.6
    for half in (shape.lids, shape.mirror[shape.lids]):
        colour[half[0]] = WATERLINE * 0.6
        colour[half[1]] = WATERLINE
        upper = np.arange(half.shape[1]) < half.shape[1] // 2 + 1
        colour[half[2]] = np.where(upper[:, None], BASE * 0.22, BASE * 0.62)
    return colour


def _mouth(colour: Float[np.ndarray, "verts 3"], half: np.ndarray, shape: Skin) -> None:
    """Write the colours of lips and of what is behind them into `colour`; `half` are their rings."""
    red = np.array(rings.RED)
    # Flesh near the lips; the light ends towards the throat.
    bag = half[: shape.bag_rings]
    near = curves.smoothstep(shape.vertices[bag, 2], 28.0, 74.0)[..., None]
    colour[bag] = THROAT + (BAG - THROAT) * near
    wet = bag[-len(rings.INNER) :]
    colour[wet] = INNER_LIP
    # The red is deepest where the lips part, and fades into the skin at its border.
    lips = half[shape.bag_rings : shape.bag_rings + len(red)]
    deep = curves.smoothstep(red, 0.0, 0.45)[:, None, None]
    full = 1.0 - 0.6 * curves.smoothstep(red, 0.88, 1.0)[:, None, None]
    target = RED_DEEP + (RED - RED_DEEP) * deep
    colour[lips] += (target - colour[lips]) * full
    colour[lips[0]] = PARTING
    s, _ = rings.lip_columns()
    roll = half[shape.bag_rings + len(red)]
    colour[roll] += (WHITE_ROLL - colour[roll]) * (0.22 * np.clip(1.0 - s**4, 0.0, 1.0))[:, None]
