"""Steps from frame to frame, and the spread of a motion around its mean, as EMAGE sums them.

Axis names: `frames`, `verts`. Vertices are in metres. Source: EMAGE (emage_evaltools): L1 over coordinates,
summed over frames of all clips and divided by their number. Vertices that never move lower `lvd@emage`, and
the value of `l1div@emage` grows with the number of vertices.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.metrics.distance import Vertices
from talkcli.engine.metrics.take import Take, blocks, frame_values
from talkcli.engine.metrics.undefined import UndefinedMetricError


def step_error_sum(predicted: Vertices, true: Vertices) -> float:
    """Return the sum of |predicted step - true step| over all steps, vertices and coordinates, in metres."""
    difference = np.subtract(predicted, true, dtype=np.float64)
    return float(np.abs(np.diff(difference, axis=0)).sum())


def lvd_m(predicted: Vertices, true: Vertices) -> float:
    """Return `step_error_sum` divided by the number of frames (not of steps) and of coordinates, in metres.

    Raises UndefinedMetricError for a single frame.
    """
    if len(true) < 2:
        raise UndefinedMetricError("needs two frames or more")
    return step_error_sum(predicted, true) / true.size


def l1div_m(vertices: Vertices) -> float:
    """Return the mean over frames of the sum of |x - mean over time| over all coordinates, in metres."""
    precise = vertices.astype(np.float64)
    return float(np.abs(precise - precise.mean(axis=0)).sum() / len(vertices))


def measure_lvd_m(take: Take, true: Take) -> float:
    """Measure `lvd_m` of all vertices of a take, block by block, to limit memory."""
    if take.num_frames < 2:
        raise UndefinedMetricError("needs two frames or more")
    total = 0.0
    for block in blocks(take.num_frames):
        # One frame more, so that the step into the next block counts.
        frames = slice(block.start, block.stop + 1)
        total += step_error_sum(take.whole(frames), true.whole(frames))
    return total / (take.num_frames * take.whole(slice(0, 1)).size)


def measure_l1div_m(take: Take) -> float:
    """Measure `l1div_m` of all vertices of a take, block by block, to limit memory."""
    parts = [take.whole(block).sum(axis=0, dtype=np.float64) for block in blocks(take.num_frames)]
    mean = np.sum(parts, axis=0) / take.num_frames
    spreads = frame_values(
        take.num_frames, lambda frames: np.abs(take.whole(frames) - mean).sum(axis=(1, 2), dtype=np.float64)
    )
    return float(spreads.mean())
