"""The skin of a head on a flat picture: the cylinder round the head, cut at its back.

Axis names: `points` (vertices of the unwrapped mesh), `faces`. The picture repeats sideways, so that the cut
is no edge of it: a triangle that crosses the cut goes on beyond 1, and its vertices occur twice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Unwrapped(NamedTuple):
    """Triangles on the picture: `rows` are the head's vertices, `uv` their places as glTF counts them (u to
    the right from 0 on, v down from 0 to 1), `faces` triangles of these, `depths` their distances from the
    axis. `tangents` lead to the right on the picture; their fourth number is 1 where the picture is not
    mirrored, else -1.
    """

    rows: Int[np.ndarray, "points"]
    uv: Float[np.ndarray, "points 2"]
    faces: Int[np.ndarray, "faces 3"]
    depths: Float[np.ndarray, "points"]
    tangents: Float[np.ndarray, "points 4"]


def unwrapped(
    template: Float[np.ndarray, "verts 3"],
    normals: Float[np.ndarray, "verts 3"],
    faces: Int[np.ndarray, "faces 3"],
) -> Unwrapped:
    """Return the places of `faces` on the picture. Where skin lies behind skin, places overlap."""
    used = np.unique(faces)
    low, high = template[used].min(axis=0), template[used].max(axis=0)
    x, y, z = (template.astype(np.float64) - (low + high) / 2).T
    # From the right ear over the face to the left one; 0 is at the back.
    u = np.arctan2(x, z) / (2 * np.pi) + 0.5
    v = 0.5 - y / (high - low)[1]
    crosses = np.ptp(u[faces], axis=1) > 0.5
    beyond = crosses[:, None] & (u[faces] < 0.5)
    corners, local = np.unique(np.stack([faces, beyond], axis=-1).reshape(-1, 2), axis=0, return_inverse=True)
    rows, local = corners[:, 0], local.reshape(-1, 3)
    uv = np.stack([u[rows] + corners[:, 1], v[rows]], axis=1)
    return Unwrapped(
        rows=rows,
        uv=uv.astype(np.float32),
        faces=local,
        depths=np.hypot(x, z)[rows],
        tangents=_tangents(template[rows].astype(np.float64), normals[rows], uv, local).astype(np.float32),
    )


def _tangents(
    places: Float[np.ndarray, "points 3"],
    normals: Float[np.ndarray, "points 3"],
    uv: Float[np.ndarray, "points 2"],
    faces: Int[np.ndarray, "faces 3"],
) -> Float[np.ndarray, "points 4"]:
    """Return the tangents of the points: means of those of their triangles, weighted by area."""
    side1, side2 = (places[faces[:, k]] - places[faces[:, 0]] for k in (1, 2))
    (u1, v1), (u2, v2) = ((uv[faces[:, k]] - uv[faces[:, 0]]).T for k in (1, 2))
    turned = np.where(u1 * v2 < u2 * v1, -1.0, 1.0)[:, None]
    right = turned * (side1 * v2[:, None] - side2 * v1[:, None])
    down = turned * (side2 * u1[:, None] - side1 * u2[:, None])
    sums = np.zeros((2, *places.shape))
    for corner in range(3):
        np.add.at(sums[0], faces[:, corner], right)
        np.add.at(sums[1], faces[:, corner], down)
    tangents = sums[0] - normals * np.sum(sums[0] * normals, axis=1, keepdims=True)
    lengths = np.linalg.norm(tangents, axis=1, keepdims=True)
    # Any direction on the surface, where the picture has none.
    other = np.cross(normals, np.where(np.abs(normals[:, :1]) < 0.9, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
    tangents = np.where(lengths > 1e-12, tangents, other)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    mirrored = np.sum(np.cross(normals, tangents) * sums[1], axis=1) > 0
    return np.concatenate([tangents, np.where(mirrored, -1.0, 1.0)[:, None]], axis=1)
