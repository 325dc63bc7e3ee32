"""Mean vertex error: the distance of all vertices, averaged.

Vertex set: all vertices of the head. Source: FaceDiffuser (Stan et al. 2023). Vertices that never move (back
of the skull) lower the value, so compare values of one head only.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.take import Take, frame_mean


def mve_mm(predicted: Vertices, true: Vertices) -> float:
    """Return the mean distance over vertices and frames, in millimetres."""
    return float(vertex_distances(predicted, true).mean(dtype=np.float64) * 1e3)


def measure(take: Take, true: Take) -> float:
    """Measure `mve_mm` of a take, block by block, to limit memory."""
    return frame_mean(take.num_frames, lambda frames: mve_mm(take.whole(frames), true.whole(frames)))
