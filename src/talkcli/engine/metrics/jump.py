"""Jump: the largest step that a lip vertex takes from one frame to the next.

Axis names: `frames`, `verts`.
Vertex set: the head's region `lips`. A measure of our own, against popping; it depends on the
frame rate, so that it is given at 25 fps too.
"""

from __future__ import annotations

from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.undefined import UndefinedMetricError


def jump_mm(vertices: Vertices) -> float:
    """Largest frame-to-frame distance of any vertex, in millimetres. Undefined for a single frame."""
    if len(vertices) < 2:
        raise UndefinedMetricError("needs two frames or more")
    return float(vertex_distances(vertices[1:], vertices[:-1]).max() * 1e3)
