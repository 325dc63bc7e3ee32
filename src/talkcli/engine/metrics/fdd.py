"""Upper-face dynamics deviation: whether the upper face moves as much as the true one does.

Axis names: `frames`, `verts`.
Vertex set: the head's region `upper_face`.
Source: CodeTalker (Xing et al. 2023) as its code computes it: the spread over time of the squared
displacement from the head at rest. Signed: positive where the prediction moves less than the truth.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.metrics.distance import Vertices
from talkcli.engine.metrics.take import Take


def fdd_m2(predicted: Vertices, true: Vertices, rest: Float[np.ndarray, "verts 3"]) -> float:
    """Return mean over vertices of std_t(|true - rest|^2) - std_t(|predicted - rest|^2), in square metres.

    The published average over sequences is signed as well, so that errors of both signs cancel there.
    """
    return float((_dynamics(true, rest) - _dynamics(predicted, rest)).mean())


def _dynamics(vertices: Vertices, rest: Float[np.ndarray, "verts 3"]) -> Float[np.ndarray, "verts"]:
    return np.square(vertices.astype(np.float64) - rest).sum(axis=-1).std(axis=0)


def measure(take: Take, true: Take) -> float:
    """Measure `fdd_m2` of a take."""
    return fdd_m2(take.part("upper_face"), true.part("upper_face"), take.at_rest("upper_face"))
