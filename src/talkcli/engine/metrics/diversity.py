"""Diversity: how much several performances of the same speech differ.

Axis names: `takes`, `frames`, `verts`, `coeffs`. Both measures have the form of multimodality (many motions
for one condition). The first is the mean distance of all vertices of the head. The second is the mean
distance of whole coefficient sequences, as in the text-to-motion literature that DEEPTalk cites (Ren et al.
2023). DEEPTalk's table 3 does not state in which space it measures, so its numbers are not comparable with
these.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.take import Take, frame_mean
from talkcli.engine.metrics.undefined import UndefinedMetricError


def diversity_mm(takes: Sequence[Vertices]) -> float:
    """Return the mean vertex distance over all pairs of takes, all frames and all vertices, in millimetres.

    Raises UndefinedMetricError for fewer than two takes.
    """
    pairs = _pairs(takes)
    return float(np.mean([vertex_distances(*pair).mean(dtype=np.float64) for pair in pairs]) * 1e3)


def diversity_l2(takes: Sequence[Float[np.ndarray, "frames coeffs"]]) -> float:
    """Return the mean L2 distance over all pairs of takes, each flattened to one vector of coefficients.

    The distance grows with the square root of the number of frames. Its unit is that of the head's
    coefficients. Raises UndefinedMetricError for fewer than two takes.
    """
    pairs = _pairs(takes)
    return float(np.mean([np.linalg.norm(one.astype(np.float64) - other) for one, other in pairs]))


def _pairs(takes: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    if len(takes) < 2:
        raise UndefinedMetricError("needs two takes or more of a clip (NAME.take01.npz, NAME.take02.npz)")
    return list(combinations(takes, 2))


def measure_mm(takes: Sequence[Take]) -> float:
    """Measure `diversity_mm` of the takes of a clip, block by block, to limit memory."""
    return frame_mean(
        takes[0].num_frames, lambda frames: diversity_mm([take.whole(frames) for take in takes])
    )


def measure_l2(takes: Sequence[Take]) -> float:
    """Measure `diversity_l2` of the takes of a clip."""
    return diversity_l2([take.coeffs() for take in takes])
