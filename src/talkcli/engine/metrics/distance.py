"""Distances between two moving sets of vertices, frame by frame.

Axis names: `frames`, `verts`; metres.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Vertices = Float[np.ndarray, "frames verts 3"]


def vertex_distances(predicted: Vertices, true: Vertices) -> Float[np.ndarray, "frames verts"]:
    """Return Euclidean distance of each vertex to its counterpart, in metres."""
    return np.linalg.norm(predicted - true, axis=-1)


def largest_distances(predicted: Vertices, true: Vertices) -> Float[np.ndarray, "frames"]:
    """Return per frame, the distance of the vertex that is furthest off, in metres."""
    return vertex_distances(predicted, true).max(axis=1)
