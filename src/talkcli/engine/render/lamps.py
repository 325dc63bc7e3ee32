"""Depth maps of far lamps, beside what the rasteriser does: the view, the lift off the surface, what is seen.

Axis names: `verts`, `texels`.
What hides a lamp is found in its depth map (Williams 1978), compared softly over a tent of 4x4 texels
(percentage-closer filtering, Reeves 1987), so that a face that moves a little changes its shade a little.
"""

from __future__ import annotations

import math

import numpy as np
from numpy import float32 as f32

from talkcli.engine.jit import inlined, kernel
from talkcli.engine.render.columns import SKY, TOTAL

# How far a point is lifted off its own surface, in texels.
_LIFT = 1.6
# Depth over which a neighbour nearer to the lamp goes from lighting to hiding, in texels.
_SOFTNESS = f32(3.0)
# A vertex counts lamps that are up to this far below its horizon: no normal is without any.
_BELOW_HORIZON = f32(0.25)


@kernel
def bounds(vertices, low, high):  # type: ignore[no-untyped-def]
    """Fill the corners of the box round all vertices that are numbers; `low` is above `high` for none."""
    low[:], high[:] = np.inf, -np.inf
    for v in range(vertices.shape[0]):
        if math.isfinite(vertices[v, 0] + vertices[v, 1] + vertices[v, 2]):
            for k in range(3):
                low[k] = min(low[k], float(vertices[v, k]))
                high[k] = max(high[k], float(vertices[v, k]))


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
def lift(axes, screen, used, table):  # type: ignore[no-untyped-def]
    """Lift a lamp's `screen` (verts 3) off the surface at the vertices of `used` (verts): along the normal,
    and to the lamp at a slant."""
    for v in range(np.uintp(screen.shape[0])):
        if not used[v]:
            continue
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


@inlined
def seen_of(x, y, z, nearness):  # type: ignore[no-untyped-def]
    """How much of a lamp reaches the point (x, y, z) of its depth map: the part of the texels that hide
    nothing."""
    texels = nearness.shape[0]
    first_x, first_y = math.floor(x - f32(0.5)) - 1, math.floor(y - f32(0.5)) - 1
    hidden = f32(0.0)
    if 0 <= first_x < texels - 4 and 0 <= first_y < texels - 4:
        for i in range(4):
            weight_y = f32(1.0) - f32(0.5) * abs(f32(first_y + i) + f32(0.5) - y)
            for k in range(4):
                weight = weight_y * (f32(1.0) - f32(0.5) * abs(f32(first_x + k) + f32(0.5) - x))
                nearer = nearness[np.uintp(first_y + i), np.uintp(first_x + k)] - z
                hidden += weight * min(max(nearer * (f32(1.0) / _SOFTNESS), f32(0.0)), f32(1.0))
    # The tent's weights sum to 2 along each axis.
    return f32(1.0) - f32(0.25) * hidden


@inlined
def in_the_open(x, y, z, maxima):  # type: ignore[no-untyped-def]
    """Return whether no texel that `seen_of` would look at is nearer to the lamp than the point."""
    texels = maxima.shape[0]
    first_x, first_y = math.floor(x - f32(0.5)) - 1, math.floor(y - f32(0.5)) - 1
    inside = 0 <= first_x < texels - 4 and 0 <= first_y < texels - 4
    return not inside or maxima[np.uintp(first_y), np.uintp(first_x)] <= z


@kernel
def add_sky(axes, screen, nearness, maxima, past, used, table):  # type: ignore[no-untyped-def]
    """Add what each vertex of `used` (verts) sees of one of the sky's lamps to its columns SKY (weighted sum)
    and TOTAL (weights). `past` (verts) is the part that comes past what is not on the map."""
    towards_x, towards_y, towards_z = f32(axes[2, 0]), f32(axes[2, 1]), f32(axes[2, 2])
    for v in range(np.uintp(table.shape[0])):
        if not used[v]:
            continue
        weight = table[v, 0] * towards_x + table[v, 1] * towards_y + table[v, 2] * towards_z + _BELOW_HORIZON
        x, y, z = screen[v, 0], screen[v, 1], screen[v, 2]
        if weight > f32(0.0) and math.isfinite(x + y + z):
            seen = f32(1.0) if in_the_open(x, y, z, maxima) else seen_of(x, y, z, nearness)
            table[v, SKY] += weight * seen * past[v]
            table[v, TOTAL] += weight
