"""Jump: the largest distance that a lip vertex moves from one frame to the next.

Axis names: `frames`, `verts`. Vertex set: the head's region `lips`. A measure of our own; it finds single
frames in which the lips pop. It depends on the frame rate, so talk also measures it at 25 fps.
"""

from __future__ import annotations

from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import MODEL_FPS


def jump_mm(vertices: Vertices) -> float:
    """Return the largest distance of any vertex from one frame to the next, in millimetres.

    `vertices` are in metres. Raises UndefinedMetricError for a single frame.
    """
    if len(vertices) < 2:
        raise UndefinedMetricError("needs two frames or more")
    return float(vertex_distances(vertices[1:], vertices[:-1]).max() * 1e3)


def measure(take: Take) -> float:
    """Measure `jump_mm` of the lips of a take, at its own frame rate."""
    return jump_mm(take.part("lips"))


def measure_25fps(take: Take) -> float:
    """Measure `jump_mm` of the lips of a take at 25 fps."""
    return jump_mm(take.at(float(MODEL_FPS)).part("lips"))
