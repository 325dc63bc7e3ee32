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
    axis.
    """

    rows: Int[np.ndarray, "points"]
    uv: Float[np.ndarray, "points 2"]
    faces: Int[np.ndarray, "faces 3"]
    depths: Float[np.ndarray, "points"]


def unwrapped(template: Float[np.ndarray, "verts 3"], faces: Int[np.ndarray, "faces 3"]) -> Unwrapped:
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
    rows = corners[:, 0]
    return Unwrapped(
        rows=rows,
        uv=np.stack([u[rows] + corners[:, 1], v[rows]], axis=1).astype(np.float32),
        faces=local.reshape(-1, 3),
        depths=np.hypot(x, z)[rows],
    )
