"""Swap: how much another emotion changes the upper face, and the lips where they should be closed.

Axis names: `frames`, `verts`, `clips`. Gaps are those of the inner lips in millimetres, above that of the
head at rest. Vertex set of the upper face: the head's region `upper_face`. A measure of our own: an emotion
should show in the upper face and leave the closures of p, b and m alone. The opening between closures depends
on the emotion (a shout is wider than a murmur), so talk measures it separately.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.phones import BILABIALS
from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.phone_frames import CLOSED_MM, SLACK_S, between
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment

# Smallest mean change of closures, in millimetres, by which talk divides. Nobody sees a smaller change, and
# the ratio would depend on the rounding of float32.
LEAST_MM = 0.01

# Lip gap in each frame, in millimetres.

Gap = Float[np.ndarray, "frames"]


def upper_face_mm(one: Vertices, other: Vertices) -> float:
    """Return the mean distance of upper-face vertices over frames, in millimetres; vertices are in metres."""
    return float(vertex_distances(one, other).mean(dtype=np.float64) * 1e3)


def bilabial_mm(one: Gap, other: Gap, alignment: Alignment, fps: float) -> float:
    """Return the mean change of the smallest gap in p, b and m, in millimetres.

    Each smallest gap is that of the frames within the phone and 40 ms on either side.

    Args:
        one: Gap of the motion with its own emotion.
        other: Gap of the same motion with another emotion.
        alignment: Phones of the speech and their times.
        fps: Frame rate of both motions.

    Raises:
        UndefinedMetricError: When no frame belongs to a p, b or m.
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
    """Return the mean change of the gap over frames with closed lips (gap under 1 mm) in either motion.

    The value is in millimetres; frames in pauses count too. Raises UndefinedMetricError when the lips never
    close.
    """
    closed = np.minimum(one, other) < CLOSED_MM
    if not closed.any():
        raise UndefinedMetricError("the lips never close")
    return float(np.abs(one - other)[closed].mean())


def opening_mm(one: Gap, other: Gap) -> float:
    """Return the mean change of the gap over all frames, in millimetres."""
    return float(np.abs(one - other).mean())


def swap_ratio(upper: Float[np.ndarray, "clips"], closure: Float[np.ndarray, "clips"]) -> float:
    """Return the mean change of the upper face divided by the mean change of the closures.

    Both means are over the clips that have a closure.

    Args:
        upper: Change of the upper face in each clip, in millimetres.
        closure: Change of the closures in each clip, in millimetres; NaN for clips without a closure.

    Raises:
        UndefinedMetricError: When no clip has a closure, and when closures change by less than 0.01 mm on
            average: the change itself then says everything.
    """
    known = ~np.isnan(closure)
    if not known.any():
        raise UndefinedMetricError("no clip has a closure to look at")
    change = float(closure[known].mean())
    if change < LEAST_MM:
        raise UndefinedMetricError(f"the closures change by {change:.1g} mm, under {LEAST_MM:g} mm")
    return float(upper[known].mean() / change)
