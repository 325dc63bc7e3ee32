"""Detail of skin that no mesh has: pores and unevenness that stick to the place at rest.

Axis names: `rows` and columns of a batch. Noise on a lattice (Perlin 1985; of values, hashed): its slopes
bend the normal, its value tints the colour. It fades out before its cells are as small as a pixel.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy import float32 as f32

from talkcli.engine.jit import part
from talkcli.engine.render.columns import BATCH, DETAIL, MATERIAL, NOISE, PIXEL, REST, RGB, SLOPE, N
from talkcli.engine.render.renderer import Scene

# Side of a cell, metres; how far its slopes bend the normal; how much its value tints red, green and blue.
_UNEVEN = (0.0024, 0.045, (0.05, 0.12, 0.13))
_PORES = (0.00085, 0.1, (0.03, 0.04, 0.04))
# Where a cell has more than this many pixels its detail is full, and at half as many there is none.
_PIXELS = 4.0


def rest_table(scene: Scene) -> tuple[Float[np.ndarray, "verts 3"], Float[np.ndarray, "faces"]]:
    """Return the place at rest of each vertex, and twice the area of each face at rest; both without
    rows where no material of `scene` has detail or nobody knows the rest.
    """
    if scene.rest is None or not any(material.detail for material in scene.materials):
        return np.zeros((0, 3), np.float32), np.zeros(0, np.float32)
    rest = np.asarray(scene.rest, np.float32)
    a, b, c = rest[np.asarray(scene.faces).T]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return rest, area.astype(np.float32)


@part
def _hash(x, y, z):  # type: ignore[no-untyped-def]
    """Return a value in [0, 1) of a point of the lattice."""
    h = np.uint32(np.uint32(x) * np.uint32(0x9E3779B1))
    h = np.uint32(h ^ np.uint32(np.uint32(y) * np.uint32(0x85EBCA77)))
    h = np.uint32(h ^ np.uint32(np.uint32(z) * np.uint32(0xC2B2AE3D)))
    h = np.uint32(np.uint32(h ^ (h >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
    h = np.uint32(np.uint32(h ^ (h >> np.uint32(12))) * np.uint32(0x297A2D39))
    return f32(np.int32(h >> np.uint32(8))) * f32(1.0 / 16777216.0)


@part
def _noise(batch, per_metre):  # type: ignore[no-untyped-def]
    """Fill the rows SLOPE (per cell) and NOISE (in [0, 1]) at the places at rest."""
    one, two, three, six = f32(1.0), f32(2.0), f32(3.0), f32(6.0)
    for e in range(BATCH):
        x, y, z = batch[REST, e] * per_metre, batch[REST + 1, e] * per_metre, batch[REST + 2, e] * per_metre
        ix, iy, iz = np.floor(x), np.floor(y), np.floor(z)
        x, y, z = x - ix, y - iy, z - iz
        i, j, k = np.int32(ix), np.int32(iy), np.int32(iz)
        i1, j1, k1 = np.int32(i + 1), np.int32(j + 1), np.int32(k + 1)
        v000, v100, v010, v110 = _hash(i, j, k), _hash(i1, j, k), _hash(i, j1, k), _hash(i1, j1, k)
        v001, v101, v011, v111 = _hash(i, j, k1), _hash(i1, j, k1), _hash(i, j1, k1), _hash(i1, j1, k1)
        u, v, w = x * x * (three - two * x), y * y * (three - two * y), z * z * (three - two * z)
        du, dv, dw = six * x * (one - x), six * y * (one - y), six * z * (one - z)
        a, b, c = v100 - v000, v010 - v000, v001 - v000
        ab, bc, ca = v000 - v100 - v010 + v110, v000 - v010 - v001 + v011, v000 - v100 - v001 + v101
        abc = v111 - v011 - v101 - v110 + v100 + v010 + v001 - v000
        batch[NOISE, e] = (
            v000 + a * u + b * v + c * w + ab * u * v + bc * v * w + ca * w * u + abc * u * v * w
        )
        batch[SLOPE, e] = du * (a + ab * v + ca * w + abc * v * w)
        batch[SLOPE + 1, e] = dv * (b + bc * w + ab * u + abc * w * u)
        batch[SLOPE + 2, e] = dw * (c + ca * u + bc * v + abc * u * v)


@part
def _add_octave(batch, octave, finest):  # type: ignore[no-untyped-def]
    """Bend the normals and tint the colours by one octave, if any column has pixels small enough for it."""
    cell, bend, tint = octave
    if finest * _PIXELS / 2 > cell:
        return
    _noise(batch, f32(1.0 / cell))
    sharp = f32(2.0 * cell / _PIXELS)
    for e in range(BATCH):
        seen = min(max(sharp / batch[PIXEL, e] - f32(1.0), f32(0.0)), f32(1.0)) * batch[MATERIAL + DETAIL, e]
        nx, ny, nz = batch[N, e], batch[N + 1, e], batch[N + 2, e]
        sx, sy, sz = batch[SLOPE, e], batch[SLOPE + 1, e], batch[SLOPE + 2, e]
        along, amount = sx * nx + sy * ny + sz * nz, f32(bend) * seen
        nx, ny, nz = (
            nx - amount * (sx - along * nx),
            ny - amount * (sy - along * ny),
            nz - amount * (sz - along * nz),
        )
        scale = f32(1.0) / math.sqrt(nx * nx + ny * ny + nz * nz)
        batch[N, e], batch[N + 1, e], batch[N + 2, e] = nx * scale, ny * scale, nz * scale
        lighter = (batch[NOISE, e] - f32(0.5)) * seen
        batch[RGB, e] *= f32(1.0) + f32(tint[0]) * lighter
        batch[RGB + 1, e] *= f32(1.0) + f32(tint[1]) * lighter
        batch[RGB + 2, e] *= f32(1.0) + f32(tint[2]) * lighter


@part
def add_detail(batch, num):  # type: ignore[no-untyped-def]
    """Give skin among the first `num` columns its detail; `batch` is filled up to the normals and colours."""
    finest = f32(1.0)
    for e in range(num):
        if batch[MATERIAL + DETAIL, e] > f32(0.0):
            finest = min(finest, batch[PIXEL, e])
    _add_octave(batch, _UNEVEN, finest)
    _add_octave(batch, _PORES, finest)
