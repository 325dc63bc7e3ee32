"""Mean vertex error: the distance of all vertices, averaged.

Vertex set: all vertices of the head. Source: FaceDiffuser (Stan et al. 2023). Vertices that never move (back
of the skull) lower the value, so compare values of one head only. Axis names: `frames`, `verts`. The other
functions are variants of single papers; docs/metrics.md has a table of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.spoken import spoken_frames
from talkcli.engine.metrics.take import Take, frame_mean, frame_values
from talkcli.engine.types import Speech


def mve_mm(predicted: Vertices, true: Vertices) -> float:
    """Return the mean distance over vertices and frames, in millimetres."""
    return float(vertex_distances(predicted, true).mean(dtype=np.float64) * 1e3)


def mean_square_m2(predicted: Vertices, true: Vertices) -> Float[np.ndarray, "frames"]:
    """Return the mean over vertices of the squared distance in each frame, in square metres."""
    return np.square(vertex_distances(predicted, true), dtype=np.float64).mean(axis=1)


def mhd_mm(
    squares_m2: Float[np.ndarray, "frames"], chosen: Bool[np.ndarray, "frames"] | None = None
) -> float:
    """Return the root of the mean of `mean_square_m2` over `chosen` frames (None: all), in millimetres.

    Source: UniLS (core/models/modules/metrics.py), MHD: a root mean square, no Hausdorff distance.
    """
    return float(np.sqrt((squares_m2 if chosen is None else squares_m2[chosen]).mean()) * 1e3)


def measure(take: Take, true: Take) -> float:
    """Measure `mve_mm` of a take, block by block, to limit memory."""
    return frame_mean(take.num_frames, lambda frames: mve_mm(take.whole(frames), true.whole(frames)))


def measure_m(take: Take, true: Take) -> float:
    """Measure `mve_mm` of a take in metres."""
    return measure(take, true) / 1e3


def measure_first_m(takes: Sequence[Take], true: Take) -> float:
    """Measure `mve_mm` of the first take in metres."""
    return measure_m(takes[0], true)


def measure_by_frames(take: Take, true: Take) -> float:
    """Measure `mve_mm` of a take divided by its number of frames.

    The mean of this over clips, weighted by frames, is the sum of the clips' values divided by the number of
    all frames, as a fork of language_of_motion's class has it.
    """
    return measure(take, true) / take.num_frames


def measure_mhd_mm(take: Take, true: Take) -> float:
    """Measure `mhd_mm` of all frames of a take."""
    return mhd_mm(_squares(take, true))


def measure_spoken_mhd_mm(take: Take, beside: tuple[Take, Speech]) -> float:
    """Measure `mhd_mm` of the spoken frames of a take."""
    true, speech = beside
    return mhd_mm(_squares(take, true), spoken_frames(take, speech))


def measure_lips_mm(take: Take, true: Take) -> float:
    """Measure `mve_mm` of the lips of a take."""
    return mve_mm(take.part("lips"), true.part("lips"))


def measure_lips_m(take: Take, true: Take) -> float:
    """Measure `mve_mm` of the lips of a take in metres."""
    return measure_lips_mm(take, true) / 1e3


def measure_upper_m(take: Take, true: Take) -> float:
    """Measure `mve_mm` of the upper face of a take in metres."""
    return mve_mm(take.part("upper_face"), true.part("upper_face")) / 1e3


def _squares(take: Take, true: Take) -> Float[np.ndarray, "frames"]:
    return frame_values(
        take.num_frames, lambda frames: mean_square_m2(take.whole(frames), true.whole(frames))
    )
