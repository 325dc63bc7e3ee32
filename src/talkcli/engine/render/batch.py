"""A batch of surfaces, filled: where each is on its triangle, and what vertices, material and skin say there.

Axis names: `verts`, `faces`, `rows` and columns of a batch.
"""

from __future__ import annotations

import math

from numpy import float32 as f32

from talkcli.engine.jit import inlined, part
from talkcli.engine.render.columns import (
    AT_KEY,
    BACK,
    BATCH,
    CORNEA,
    CORNER_NEAR,
    CORNER_X,
    CORNER_Y,
    FIELDS,
    KEY,
    MATERIAL,
    NEAR,
    PLACE,
    RAY,
    RGB,
    SCREEN,
    WEIGHT,
    WEIGHTS,
    WET,
    N,
)

# What is left of a colour on the inside of a body.
_INSIDE = (0.12, 0.1, 0.1)
# The cornea of an eyeball of radius 1: its own centre before the eyeball's, and the cosine of the angle at
# which its rim lies, from where to where it sinks into the eyeball.
_CORNEA, _RIM, _RIM_END = f32(0.45), f32(0.9), f32(0.84)


@part
def weigh(batch, corners, num, table, look):  # type: ignore[no-untyped-def]
    """Fill weights of the corners, nearness, area on the screen and ray to the eye."""
    for e in range(num):
        for i in range(3):
            v = corners[i, e]
            batch[CORNER_X + i, e] = table[v, SCREEN]
            batch[CORNER_Y + i, e] = table[v, SCREEN + 1]
            batch[CORNER_NEAR + i, e] = table[v, SCREEN + 2]
    for e in range(BATCH):
        x, y = batch[PLACE, e], batch[PLACE + 1, e]
        ax, ay = batch[CORNER_X, e] - x, batch[CORNER_Y, e] - y
        bx, by = batch[CORNER_X + 1, e] - x, batch[CORNER_Y + 1, e] - y
        cx, cy = batch[CORNER_X + 2, e] - x, batch[CORNER_Y + 2, e] - y
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        side = f32(1.0) if area > f32(0.0) else f32(-1.0)
        # The place lies in the triangle; rounding must not take it far out of a sliver.
        wa = max(side * (bx * cy - by * cx), f32(0.0)) + f32(1e-12)
        wb = max(side * (cx * ay - cy * ax), f32(0.0)) + f32(1e-12)
        wc = max(side * (ax * by - ay * bx), f32(0.0)) + f32(1e-12)
        batch[BACK, e] = area
        flat = wa + wb + wc
        # Weights on the screen, divided by distance, are weights on the triangle (perspective-correct).
        wa *= batch[CORNER_NEAR, e]
        wb *= batch[CORNER_NEAR + 1, e]
        wc *= batch[CORNER_NEAR + 2, e]
        scale = f32(1.0) / (wa + wb + wc)
        batch[NEAR, e] = (wa + wb + wc) / flat
        batch[WEIGHTS, e] = wa * scale
        batch[WEIGHTS + 1, e] = wb * scale
        batch[WEIGHTS + 2, e] = wc * scale
    along = f32(1.0) / look.lens[0]
    axes = look.axes
    for e in range(BATCH):
        right = (batch[PLACE, e] - look.lens[1]) * along
        up = (look.lens[2] - batch[PLACE + 1, e]) * along
        x = axes[2, 0] + right * axes[0, 0] + up * axes[1, 0]
        y = axes[2, 1] + right * axes[0, 1] + up * axes[1, 1]
        z = axes[2, 2] + right * axes[0, 2] + up * axes[1, 2]
        length = f32(-1.0) / math.sqrt(x * x + y * y + z * z)
        batch[RAY, e], batch[RAY + 1, e], batch[RAY + 2, e] = x * length, y * length, z * length


@inlined
def _bend(batch, e, look):  # type: ignore[no-untyped-def]
    """Turn the normal in column `e` to that of the cornea of the eyeball it is on: a lens that is steeper
    than the eyeball, about the line of sight. No mesh of an eye is so fine that its own would do."""
    axes = look.axes
    # From the camera along the ray; nearness is one over the distance along the camera's axis.
    facing = -(batch[RAY, e] * axes[2, 0] + batch[RAY + 1, e] * axes[2, 1] + batch[RAY + 2, e] * axes[2, 2])
    far = f32(1.0) / (batch[NEAR, e] * facing)
    x = look.eye[0] - batch[RAY, e] * far
    y = look.eye[1] - batch[RAY + 1, e] * far
    z = look.eye[2] - batch[RAY + 2, e] * far
    nearest, best = f32(1e30), 0
    for i in range(look.eyes.shape[0]):
        dx, dy, dz = x - look.eyes[i, 0], y - look.eyes[i, 1], z - look.eyes[i, 2]
        distance = dx * dx + dy * dy + dz * dz
        if distance < nearest:
            nearest, best = distance, i
    eyeball = look.eyes[best]
    if nearest < f32(2.0) * eyeball[6] * eyeball[6]:
        size = f32(1.0) / math.sqrt(nearest)
        x, y, z = (x - eyeball[0]) * size, (y - eyeball[1]) * size, (z - eyeball[2]) * size
        cosine = x * eyeball[3] + y * eyeball[4] + z * eyeball[5]
        inner = min(max((cosine - _RIM_END) / (_RIM - _RIM_END), f32(0.0)), f32(1.0))
        inner *= inner * (f32(3.0) - f32(2.0) * inner) * _CORNEA
        batch[N, e], batch[N + 1, e] = x - inner * eyeball[3], y - inner * eyeball[4]
        batch[N + 2, e] = z - inner * eyeball[5]


@part
def interpolate(batch, corners, filled, num, table, look):  # type: ignore[no-untyped-def]
    """Fill the first `num` columns with what the vertex table and the material say at their places."""
    for e in range(num):
        a, b, c, part = corners[0, e], corners[1, e], corners[2, e], corners[3, e]
        wa, wb, wc = batch[WEIGHTS, e], batch[WEIGHTS + 1, e], batch[WEIGHTS + 2, e]
        for k in range(7):
            batch[N + k, e] = wa * table[a, k] + wb * table[b, k] + wc * table[c, k]
        for k in range(3):
            batch[AT_KEY + k, e] = wa * table[a, KEY + k] + wb * table[b, KEY + k] + wc * table[c, KEY + k]
        # A column often keeps the material that it had in the batch before.
        if filled[e] != part:
            filled[e] = part
            for k in range(FIELDS):
                batch[MATERIAL + k, e] = look.materials[part, k]
        if batch[MATERIAL + CORNEA, e] > f32(0.0) and look.eyes.shape[0] > 0:
            _bend(batch, e, look)
        if batch[BACK, e] > f32(0.0):
            filled[e] = -1
            batch[MATERIAL + WEIGHT, e] = f32(0.0)
            batch[MATERIAL + WET, e] = f32(0.0)
            for k in range(3):
                batch[N + k, e] = -batch[N + k, e]
                batch[RGB + k, e] *= f32(_INSIDE[k])
    for e in range(BATCH):
        nx, ny, nz = batch[N, e], batch[N + 1, e], batch[N + 2, e]
        scale = f32(1.0) / math.sqrt(nx * nx + ny * ny + nz * nz + f32(1e-12))
        batch[N, e], batch[N + 1, e], batch[N + 2, e] = nx * scale, ny * scale, nz * scale
