"""Mean squared and absolute errors of coordinates, as papers report or train with them.

Axis names: `frames`, `verts`. All vertices are in metres. A mean per coordinate is a third of a mean per
vertex. Sources: UniTalker (rec loss), UniLS (mesh loss of the codec), EMAGE (emage_evaltools), VOCA
(utils/losses.py), Face-Diffusion-Model (metric/metric.py).
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.metrics.distance import Vertices
from talkcli.engine.metrics.take import Take, frame_mean

# A square metre in square millimetres.
_MM2 = 1e6
_LIPS = "lips with repeats"


def mse_m2(predicted: Vertices, true: Vertices) -> float:
    """Return the mean over frames, vertices and coordinates of the squared difference, in square metres."""
    return float(np.square(np.subtract(predicted, true, dtype=np.float64)).mean())


def absolute_m(predicted: Vertices, true: Vertices) -> float:
    """Return the mean over frames and vertices of the sum of absolute differences, in metres."""
    return float(np.abs(np.subtract(predicted, true, dtype=np.float64)).sum(axis=-1).mean())


def measure_mse_m2(take: Take, true: Take) -> float:
    """Measure `mse_m2` of all vertices of a take."""
    return frame_mean(take.num_frames, lambda frames: mse_m2(take.whole(frames), true.whole(frames)))


def measure_mse_mm2(take: Take, true: Take) -> float:
    """Measure `mse_m2` of all vertices of a take, in square millimetres."""
    return measure_mse_m2(take, true) * _MM2


def measure_lips_mse_mm2(take: Take, true: Take) -> float:
    """Measure `mse_m2` of the lips of a take in square millimetres; repeated vertices count again."""
    return mse_m2(take.part(_LIPS), true.part(_LIPS)) * _MM2


def measure_square_m2(take: Take, true: Take) -> float:
    """Measure the mean squared distance of all vertices of a take, in square metres."""
    return measure_mse_m2(take, true) * 3


def measure_upper_square_m2(take: Take, true: Take) -> float:
    """Measure the mean squared distance of the upper face of a take, in square metres."""
    return mse_m2(take.part("upper_face"), true.part("upper_face")) * 3


def measure_absolute_m(take: Take, true: Take) -> float:
    """Measure `absolute_m` of all vertices of a take."""
    return frame_mean(take.num_frames, lambda frames: absolute_m(take.whole(frames), true.whole(frames)))
