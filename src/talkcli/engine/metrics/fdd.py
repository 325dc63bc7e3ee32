"""Upper-face dynamics deviation: the difference between how much the true and the predicted upper face move.

Axis names: `frames`, `verts`. Vertex set: the head's region `upper_face`. Source: CodeTalker (Xing et al.
2023) as its code computes it: the standard deviation over time of the squared displacement from the head at
rest. The value is signed: positive means that the prediction moves less than the truth.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.metrics.distance import Vertices
from talkcli.engine.metrics.take import Take


def fdd_m2(predicted: Vertices, true: Vertices, rest: Float[np.ndarray, "verts 3"]) -> float:
    """Return the mean over vertices of std_t(|true - rest|^2) - std_t(|predicted - rest|^2), in square
    metres.

    The published average over sequences is signed as well, so errors of opposite signs cancel there.

    Args:
        predicted: Predicted upper-face vertices in metres.
        true: True upper-face vertices in metres.
        rest: Upper-face vertices of the head at rest in metres.
    """
    return float((_dynamics(true, rest) - _dynamics(predicted, rest)).mean())


def _dynamics(vertices: Vertices, rest: Float[np.ndarray, "verts 3"]) -> Float[np.ndarray, "verts"]:
    return np.square(vertices.astype(np.float64) - rest).sum(axis=-1).std(axis=0)


def measure(take: Take, true: Take) -> float:
    """Measure `fdd_m2` of a take."""
    return fdd_m2(take.part("upper_face"), true.part("upper_face"), take.at_rest("upper_face"))
