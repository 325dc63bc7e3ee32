"""Emotional (upper-face) vertex error: how far off the worst vertex of eye region and forehead is.

Vertex set: the union of the head's regions `eyes` and `forehead`.
Source: EmoTalk (Peng et al. 2023), where the statistic is that of the lip vertex error; index lists were
never published. The squared form of released code and the distance of the papers are both given, as for LVE.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.metrics.distance import Vertices, largest_distances
from talkcli.engine.metrics.take import Take

# The vertex set.
VERTICES = "eyes+forehead"


def eve_mm(predicted: Vertices, true: Vertices) -> float:
    """Return mean over frames of the largest distance of an eye-region or forehead vertex, in millimetres."""
    return float(largest_distances(predicted, true).mean() * 1e3)


def eve_m2(predicted: Vertices, true: Vertices) -> float:
    """Return mean over frames of the largest squared distance of such a vertex, in square metres."""
    return float(np.square(largest_distances(predicted, true)).mean())


def measure_mm(take: Take, true: Take) -> float:
    """Measure `eve_mm` of a take."""
    return eve_mm(take.part(VERTICES), true.part(VERTICES))


def measure_m2(take: Take, true: Take) -> float:
    """Measure `eve_m2` of a take."""
    return eve_m2(take.part(VERTICES), true.part(VERTICES))
