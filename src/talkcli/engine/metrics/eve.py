"""Emotional (upper-face) vertex error: the largest error of the eye region and the forehead, averaged over
frames.

Vertex set: the union of the head's regions `eyes` and `forehead`. Source: EmoTalk (Peng et al. 2023), which
uses the statistic of the lip vertex error and publishes no vertex indices. As for LVE there are two forms:
the distance of the papers, and the square of released code.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.metrics.distance import Vertices, largest_distances
from talkcli.engine.metrics.take import Take

# Vertex set of the metric: names of regions, joined by + as in `Take.part`.
VERTICES = "eyes+forehead"


def eve_mm(predicted: Vertices, true: Vertices) -> float:
    """Return the mean over frames of the largest distance of an eye-region or forehead vertex, in
    millimetres.
    """
    return float(largest_distances(predicted, true).mean() * 1e3)


def eve_m2(predicted: Vertices, true: Vertices) -> float:
    """Return the mean over frames of the largest squared distance of such a vertex, in square metres."""
    return float(np.square(largest_distances(predicted, true)).mean())


def measure_mm(take: Take, true: Take) -> float:
    """Measure `eve_mm` of a take."""
    return eve_mm(take.part(VERTICES), true.part(VERTICES))


def measure_m2(take: Take, true: Take) -> float:
    """Measure `eve_m2` of a take."""
    return eve_m2(take.part(VERTICES), true.part(VERTICES))
