"""How much of the key light and of the sky each vertex sees, from small depth maps along a few directions.

Axis names: `verts`, `faces`, `lamps`, `texels`.
A depth map holds what a far lamp sees (Williams 1978); a vertex is lit by it when nothing is clearly nearer
to the lamp. Compared softly over a tent of 4x4 texels (percentage-closer filtering, Reeves 1987), so that a
face that moves a little changes its shade a little. The sky is the mean over a few lamps, weighted by the
normal: the dark of a mouth, of nostrils and behind lids.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from talkcli.engine.render.jit import inlined, kernel
from talkcli.engine.render.raster import nearest_faces
from talkcli.engine.render.renderer import Light
from talkcli.engine.render.shade import KEY, SKY, TOTAL

TEXELS = 256
# Directions to the lamps that stand for the sky; the last one is light off the ground.
_SKY_LAMPS = (
    (0.0, 1.0, 0.3),
    (-0.7, 0.5, 0.6),
    (0.7, 0.5, 0.6),
    (-1, -0.1, 0.3),
    (1, -0.1, 0.3),
    (0, -0.4, 1),
)
_NUM_SKY_LAMPS = len(_SKY_LAMPS)
# Depth over which a neighbour nearer to the lamp goes from lighting to hiding, and how far a vertex is lifted
# off its own surface first; both in texels.
_SOFTNESS = 3.0
_LIFT = 1.6
# A vertex counts lamps that are up to this far below its horizon: no normal is without any.
_BELOW_HORIZON = 0.25


def lamp_table(lights: Sequence[Light]) -> np.ndarray:
    """Axes (lamps 3 3: right, up, towards) of the sky's lamps, then of the light that throws shadows.

    Raises ValueError when more than one light throws shadows.
    """
    shadows = [light.direction for light in lights if light.shadow]
    if len(shadows) > 1:
        raise ValueError(f"{len(shadows)} lights throw shadows, one can")
    return np.stack([_axes(np.array(direction, float)) for direction in (*_SKY_LAMPS, *shadows)])


def _axes(direction: np.ndarray) -> np.ndarray:
    towards = direction / np.linalg.norm(direction)
    helper = np.array([0.0, 0.0, 1.0]) if abs(towards[1]) > 0.9 else np.array([0.0, 1.0, 0.0])
    right = np.cross(helper, towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


def map_scale(vertices: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle of the vertices and texels per metre of a map that holds them from every direction."""
    finite = vertices[np.isfinite(vertices).all(axis=1)]
    if not len(finite):
        return np.zeros(3), 1.0
    low, high = finite.min(axis=0).astype(float), finite.max(axis=0).astype(float)
    return (low + high) / 2, TEXELS / max(math.dist(low, high), 1e-12)


@inlined
def _seen(screen, attributes, v, axes, nearness):  # type: ignore[no-untyped-def]
    """How much of a lamp reaches vertex `v`: the part of the texels around it that nothing hides."""
    texels = nearness.shape[0]
    x = screen[v, 0] + _LIFT * (
        attributes[v, 0] * axes[0, 0] + attributes[v, 1] * axes[0, 1] + attributes[v, 2] * axes[0, 2]
    )
    y = screen[v, 1] - _LIFT * (
        attributes[v, 0] * axes[1, 0] + attributes[v, 1] * axes[1, 1] + attributes[v, 2] * axes[1, 2]
    )
    z = (
        screen[v, 2]
        + _LIFT
        * (attributes[v, 0] * axes[2, 0] + attributes[v, 1] * axes[2, 1] + attributes[v, 2] * axes[2, 2])
        + 0.5
    )
    first_x, first_y = math.floor(x - 0.5) - 1, math.floor(y - 0.5) - 1
    total = 0.0
    for row in range(first_y, first_y + 4):
        weight_y = 1.0 - 0.5 * abs(row + 0.5 - y)
        for column in range(first_x, first_x + 4):
            weight = weight_y * (1.0 - 0.5 * abs(column + 0.5 - x))
            if 0 <= row < texels and 0 <= column < texels:
                total += weight * min(max(1.0 - (nearness[row, column] - z) / _SOFTNESS, 0.0), 1.0)
            else:
                total += weight
    # The tent's weights sum to 2 along each axis.
    return 0.25 * total


@kernel
def see_lamps(vertices, faces, culled, lamps, centre, per_metre, attributes, screen, nearness, face_at):  # type: ignore[no-untyped-def]
    """Fill columns KEY and SKY of `attributes` (verts 9), in [0, 1]; its normals are there already.

    `centre` and `per_metre` put the head into maps of `nearness` (texels texels).

    Only faces turned towards a lamp hide things from it: on a closed body they are the nearest anyway.
    """
    texels = nearness.shape[0]
    for v in range(vertices.shape[0]):
        attributes[v, SKY] = 0.0
        attributes[v, TOTAL] = 1e-6
    for lamp in range(lamps.shape[0]):
        axes = lamps[lamp]
        for v in range(vertices.shape[0]):
            x, y, z = vertices[v, 0] - centre[0], vertices[v, 1] - centre[1], vertices[v, 2] - centre[2]
            screen[v, 0] = 0.5 * texels + per_metre * (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2])
            screen[v, 1] = 0.5 * texels - per_metre * (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2])
            screen[v, 2] = per_metre * (x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2])
        nearest_faces(screen, faces, culled, nearness, face_at)
        for v in range(vertices.shape[0]):
            cosine = (
                attributes[v, 0] * axes[2, 0] + attributes[v, 1] * axes[2, 1] + attributes[v, 2] * axes[2, 2]
            )
            seen = 1.0
            if cosine > -_BELOW_HORIZON and math.isfinite(screen[v, 0] + screen[v, 1] + screen[v, 2]):
                seen = _seen(screen, attributes, v, axes, nearness)
            if lamp < _NUM_SKY_LAMPS:
                weight = max(cosine + _BELOW_HORIZON, 0.0)
                attributes[v, SKY] += weight * seen
                attributes[v, TOTAL] += weight
            else:
                # Past the terminator a surface is dark by itself; a hard shadow there would cut off the wrap.
                own = min(max(0.5 + 2.0 * cosine, 0.0), 1.0)
                attributes[v, KEY] = seen * own + (1.0 - own)
    for v in range(vertices.shape[0]):
        attributes[v, SKY] /= attributes[v, TOTAL]
