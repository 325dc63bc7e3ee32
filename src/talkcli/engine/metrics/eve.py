"""Emotional (upper-face) vertex error: how far off the worst vertex of eye region and forehead is.

Vertex set: the union of the head's regions `eyes` and `forehead`.
Source: EmoTalk (Peng et al. 2023), where the statistic is that of the lip vertex error; index lists were
never published. The squared form of released code and the distance of the papers are both given, as for LVE.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.metrics.distance import Vertices, largest_distances


def eve_mm(predicted: Vertices, true: Vertices) -> float:
    """Mean over frames of the largest distance of an eye-region or forehead vertex, in millimetres."""
    return float(largest_distances(predicted, true).mean() * 1e3)


def eve_m2(predicted: Vertices, true: Vertices) -> float:
    """Mean over frames of the largest squared distance of such a vertex, in square metres."""
    return float(np.square(largest_distances(predicted, true)).mean())
