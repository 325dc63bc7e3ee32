"""Depth maps of far lamps, beside what the rasteriser does: the view, the lift off the surface, the maxima.

Axis names: `verts`, `texels`.
"""

from __future__ import annotations

import math

from talkcli.engine.render.jit import kernel

# How far a point is lifted off its own surface, in texels.
_LIFT = 1.6


@kernel
def project_parallel(vertices, axes, centre, per_metre, screen):  # type: ignore[no-untyped-def]
    """Project a far lamp's view into `screen` (verts 3), in texels of a depth map with `centre` in its
    middle.
    """
    for v in range(vertices.shape[0]):
        x, y, z = vertices[v, 0] - centre[0], vertices[v, 1] - centre[1], vertices[v, 2] - centre[2]
        screen[v, 0] = centre[3] + per_metre * (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2])
        screen[v, 1] = centre[3] - per_metre * (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2])
        screen[v, 2] = per_metre * (x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2])


@kernel
def lift(axes, screen, table):  # type: ignore[no-untyped-def]
    """Lift a lamp's `screen` (verts 3) off the surface: along the normal, and to the lamp at a slant."""
    for v in range(screen.shape[0]):
        nx, ny, nz = table[v, 0], table[v, 1], table[v, 2]
        cosine = nx * axes[2, 0] + ny * axes[2, 1] + nz * axes[2, 2]
        # How fast the surface comes nearer to the lamp from texel to texel.
        slope = math.sqrt(max(1.0 - cosine * cosine, 0.0)) / max(cosine, 0.15)
        screen[v, 0] += _LIFT * (nx * axes[0, 0] + ny * axes[0, 1] + nz * axes[0, 2])
        screen[v, 1] -= _LIFT * (nx * axes[1, 0] + ny * axes[1, 1] + nz * axes[1, 2])
        screen[v, 2] += _LIFT * cosine + 0.5 + slope


@kernel
def block_maxima(nearness, maxima):  # type: ignore[no-untyped-def]
    """Fill `maxima` (texels texels) with the nearest of the 4x4 texels that start at each: a point at least
    as near is in no shadow, and needs no closer look."""
    texels = nearness.shape[0]
    for row in range(texels - 3):
        for column in range(texels):
            upper = max(nearness[row, column], nearness[row + 1, column])
            maxima[row, column] = max(upper, nearness[row + 2, column], nearness[row + 3, column])
        for column in range(texels - 3):
            left = max(maxima[row, column], maxima[row, column + 1])
            maxima[row, column] = max(left, maxima[row, column + 2], maxima[row, column + 3])
