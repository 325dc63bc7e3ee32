"""Diversity: how much several performances of the same speech differ.

Axis names: `takes`, `frames`, `verts`.
Vertex set: all vertices of the head.
Source: the multimodality form (many motions for one condition) as mean vertex distance. DEEPTalk's table 3
does not say in which space it measures, so its numbers are not comparable with these.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.undefined import UndefinedMetricError


def diversity_mm(takes: Sequence[Vertices]) -> float:
    """Mean vertex distance over all pairs of takes, all frames and all vertices, in millimetres.

    Raises UndefinedMetricError for fewer than two takes.
    """
    if len(takes) < 2:
        raise UndefinedMetricError("needs two takes or more of a clip (NAME.take01.npz, NAME.take02.npz)")
    return float(
        np.mean(
            [vertex_distances(one, other).mean(dtype=np.float64) for one, other in combinations(takes, 2)]
        )
        * 1e3
    )
