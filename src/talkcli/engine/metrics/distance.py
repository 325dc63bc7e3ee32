"""Distances between two moving sets of vertices in each frame.

Axis names: `frames`, `verts`. All coordinates and distances are in metres.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Vertices = Float[np.ndarray, "frames verts 3"]


def vertex_distances(predicted: Vertices, true: Vertices) -> Float[np.ndarray, "frames verts"]:
    """Return the Euclidean distance of each vertex to its counterpart, in metres."""
    return np.linalg.norm(predicted - true, axis=-1)


def largest_distances(predicted: Vertices, true: Vertices) -> Float[np.ndarray, "frames"]:
    """Return the largest distance of a vertex to its counterpart in each frame, in metres."""
    return vertex_distances(predicted, true).max(axis=1)
