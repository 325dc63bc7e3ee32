"""The error of several takes of a clip: of their mean, and of the best one.

Axis names: `frames`, `verts`. Vertex set: the head's region `lips`. Source: ProbTalk3D (Wu et al. 2024,
evaluation.py), which draws ten takes: MEE (mean estimate error) and CE (coverage error), both with the lip
vertex error. The mean of takes can be nearer than every single take, so MEE rewards spread around the truth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from talkcli.engine.metrics.distance import Vertices, largest_distances
from talkcli.engine.metrics.lve import lve_m2, lve_mm
from talkcli.engine.metrics.take import Take


def mee_m2(takes: Sequence[Vertices], true: Vertices) -> float:
    """Return the `lve_m2` of the vertex-wise mean of the takes, in square metres."""
    return lve_m2(mean_take(takes), true)


def ce_m2(takes: Sequence[Vertices], true: Vertices) -> float:
    """Return the `lve_m2` of the take that `best_take` chooses, in square metres."""
    return lve_m2(takes[best_take(takes, true)], true)


def mean_take(takes: Sequence[Vertices]) -> Vertices:
    """Return the vertex-wise mean of the takes."""
    return np.mean(np.asarray(takes, np.float64), axis=0)


def best_take(takes: Sequence[Vertices], true: Vertices) -> int:
    """Return the index of the take with the smallest sum over frames of the largest squared distance.

    The choice is for the whole clip; of equally good takes it is the first.
    """
    return int(np.argmin([np.square(largest_distances(take, true)).sum() for take in takes]))


def measure_mee_m2(takes: Sequence[Take], true: Take) -> float:
    """Measure `mee_m2` of the takes of a clip."""
    return mee_m2([take.part("lips") for take in takes], true.part("lips"))


def measure_ce_m2(takes: Sequence[Take], true: Take) -> float:
    """Measure `ce_m2` of the takes of a clip."""
    return ce_m2([take.part("lips") for take in takes], true.part("lips"))


def measure_mee_mm(takes: Sequence[Take], true: Take) -> float:
    """Measure the `lve_mm` of the mean of the takes of a clip."""
    return lve_mm(mean_take([take.part("lips") for take in takes]), true.part("lips"))


def measure_ce_mm(takes: Sequence[Take], true: Take) -> float:
    """Measure the smallest `lve_mm` of a take of a clip."""
    return min(lve_mm(take.part("lips"), true.part("lips")) for take in takes)
