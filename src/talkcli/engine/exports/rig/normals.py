"""Normals of vertices: the mean of their triangles' normals, weighted by area.

Axis names: `verts`, `faces`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def vertex_normals(
    vertices: Float[np.ndarray, "verts 3"], faces: Int[np.ndarray, "faces 3"]
) -> Float[np.ndarray, "verts 3"]:
    """Return unit normals; of a vertex without area, (0, 0, 1)."""
    first, second, third = vertices[faces.T]
    areas = np.cross(second - first, third - first)
    sums = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(areas[:, axis], 3), minlength=len(vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    # Areas of triangles of a head are far above this.
    return np.where(lengths > 1e-20, sums / np.maximum(lengths, 1e-20), (0.0, 0.0, 1.0))
