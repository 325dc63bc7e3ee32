"""Lip vertex error: the largest error of a lip vertex, averaged over frames.

Vertex set: the head's region `lips`. Source: MeshTalk (Richard et al. 2021) for the idea. Two forms are in
use, and talk measures both: the distance in millimetres, as the papers describe it; and its square in m2,
which the released code of CodeTalker and FaceDiffuser computes and their tables hold.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.metrics.distance import Vertices, largest_distances
from talkcli.engine.metrics.take import Take


def lve_mm(predicted: Vertices, true: Vertices) -> float:
    """Return the mean over frames of the largest lip-vertex distance, in millimetres.

    `predicted` and `true` are the lip vertices in metres.
    """
    return float(largest_distances(predicted, true).mean() * 1e3)


def lve_m2(predicted: Vertices, true: Vertices) -> float:
    """Return the mean over frames of the largest squared lip-vertex distance, in square metres."""
    return float(np.square(largest_distances(predicted, true)).mean())


def measure_mm(take: Take, true: Take) -> float:
    """Measure `lve_mm` of a take."""
    return lve_mm(take.part("lips"), true.part("lips"))


def measure_m2(take: Take, true: Take) -> float:
    """Measure `lve_m2` of a take."""
    return lve_m2(take.part("lips"), true.part("lips"))
