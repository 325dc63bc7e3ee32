"""Swap: how much another emotion changes the upper face, and the lips where they should be closed.

Axis names: `frames`, `verts`, `clips`; gaps are those of the inner lips above the head at rest, in
millimetres. Vertex set of the upper face: the head's region `upper_face`. A measure of our own: an emotion
should be seen in the upper face and leave the closures of p, b and m alone. How wide the mouth opens between
closures belongs to the emotion (a shout is wider than a murmur) so it is measured apart.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.phones import BILABIALS
from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.phone_frames import CLOSED_MM, SLACK_S, between
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment

# Closures that change by less on average are not divided by: nobody sees it, and the ratio would be that of
# float32's rounding.
LEAST_MM = 0.01

Gap = Float[np.ndarray, "frames"]


def upper_face_mm(one: Vertices, other: Vertices) -> float:
    """Return mean distance of upper-face vertices (in metres) over frames, in millimetres."""
    return float(vertex_distances(one, other).mean(dtype=np.float64) * 1e3)


def bilabial_mm(one: Gap, other: Gap, alignment: Alignment, fps: float) -> float:
    """Return mean over p, b and m of the change of their smallest gap, each looked for within the phone and
    40 ms on either side. Undefined without such a phone.
    """
    places = [
        between(phone.start_s - SLACK_S, phone.end_s + SLACK_S, len(one), fps)
        for phone in alignment.phones
        if phone.symbol in BILABIALS
    ]
    changes = [abs(one[place].min() - other[place].min()) for place in places if place.stop > place.start]
    if not changes:
        raise UndefinedMetricError("no p, b or m in the words")
    return float(np.mean(changes))


def closed_mm(one: Gap, other: Gap) -> float:
    """Return mean change over the frames in which the lips are closed (gap under 1 mm) in either, pauses
    included.

    Undefined where they never are.
    """
    closed = np.minimum(one, other) < CLOSED_MM
    if not closed.any():
        raise UndefinedMetricError("the lips never close")
    return float(np.abs(one - other)[closed].mean())


def opening_mm(one: Gap, other: Gap) -> float:
    """Return mean change over all frames."""
    return float(np.abs(one - other).mean())


def swap_ratio(upper: Float[np.ndarray, "clips"], closure: Float[np.ndarray, "clips"]) -> float:
    """Return how many times as much the upper face changes as the closures do, both as means over the clips
    that have a closure (the others are NaN). Undefined without any, and where closures change by less than
    0.01 mm in the mean: then there is nothing to divide by, and their change itself says all.
    """
    known = ~np.isnan(closure)
    if not known.any():
        raise UndefinedMetricError("no clip has a closure to look at")
    change = float(closure[known].mean())
    if change < LEAST_MM:
        raise UndefinedMetricError(f"the closures change by {change:.1g} mm, under {LEAST_MM:g} mm")
    return float(upper[known].mean() / change)
