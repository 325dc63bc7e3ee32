"""Lip vertex error: the largest error of a lip vertex, averaged over frames.

Vertex set: the head's region `lips`. Source: MeshTalk (Richard et al. 2021) for the idea. Two forms are
common, and talk measures both by default: the distance in millimetres, as the papers describe it; and its
square in m2, which the released code of CodeTalker and FaceDiffuser computes and their tables hold. The other
functions are variants of single papers; docs/metrics.md has a table of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.metrics.distance import Vertices, largest_distances, vertex_distances
from talkcli.engine.metrics.spoken import spoken_frames
from talkcli.engine.metrics.take import Take, blocks
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Speech

# Vertices of the face in Face-Diffusion-Model: those of its lips and those of its upper face.
FACE = "lips+upper_face"


def lve_mm(predicted: Vertices, true: Vertices) -> float:
    """Return the mean over frames of the largest lip-vertex distance, in millimetres.

    `predicted` and `true` are the lip vertices in metres.
    """
    return float(largest_distances(predicted, true).mean() * 1e3)


def lve_m2(predicted: Vertices, true: Vertices) -> float:
    """Return the mean over frames of the largest squared lip-vertex distance, in square metres."""
    return float(np.square(largest_distances(predicted, true)).mean())


def lve_rms_mm(
    predicted: Vertices, true: Vertices, chosen: Bool[np.ndarray, "frames"] | None = None
) -> float:
    """Return the root of the mean over `chosen` frames (None: all) of the largest squared distance, in
    millimetres.

    Source: UniLS (core/models/modules/metrics.py), whose LVE is this; the frames are those with speech.
    """
    largest = largest_distances(predicted, true)
    return float(np.sqrt(np.square(largest if chosen is None else largest[chosen]).mean()) * 1e3)


def lip_error_m(predicted: Vertices, true: Vertices) -> float:
    """Return the mean over frames of the largest distance after each frame's centroid of the lips is
    removed from both, in metres.

    Source: MeshTalk, by its author's answer (issue 32). A vertex that the set names twice pulls the centroid.
    """
    predicted = predicted - predicted.mean(axis=1, keepdims=True)
    return float(largest_distances(predicted, true - true.mean(axis=1, keepdims=True)).mean())


@dataclass
class WorstMoments:
    """Largest squared distance of each vertex in any frame, in square metres.

    Source: Face-Diffusion-Model (metric/metric.py, "all"); it takes the maximum over frames where the other
    scripts take it over vertices.
    """

    largest_m2: Float[np.ndarray, "verts"]
    """Distances; none for clips that differ in their numbers of vertices."""
    clips: int = 1
    """Number of clips."""

    def join(self, other: WorstMoments) -> None:
        """Add the clips of another."""
        one, two = self.largest_m2, other.largest_m2
        self.largest_m2 = np.maximum(one, two) if len(one) == len(two) else np.zeros(0)
        self.clips += other.clips


def measure_mm(take: Take, true: Take) -> float:
    """Measure `lve_mm` of a take."""
    return lve_mm(take.part("lips"), true.part("lips"))


def measure_m2(take: Take, true: Take) -> float:
    """Measure `lve_m2` of a take."""
    return lve_m2(take.part("lips"), true.part("lips"))


def measure_m(take: Take, true: Take) -> float:
    """Measure `lve_mm` of a take in metres, which UniTalker's log names LVD."""
    return measure_mm(take, true) / 1e3


def measure_first_m2(takes: Sequence[Take], true: Take) -> float:
    """Measure `lve_m2` of the first take."""
    return measure_m2(takes[0], true)


def measure_rms_mm(take: Take, true: Take) -> float:
    """Measure `lve_rms_mm` of all frames of a take."""
    return lve_rms_mm(take.part("lips"), true.part("lips"))


def measure_spoken_rms_mm(take: Take, beside: tuple[Take, Speech]) -> float:
    """Measure `lve_rms_mm` of the spoken frames of a take."""
    true, speech = beside
    return lve_rms_mm(take.part("lips"), true.part("lips"), spoken_frames(take, speech))


def measure_centred_m(take: Take, true: Take) -> float:
    """Measure `lip_error_m` of a take."""
    return lip_error_m(take.part("lips"), true.part("lips"))


def measure_face_m2(take: Take, true: Take) -> float:
    """Measure `lve_m2` of the vertices of lips and upper face of a take."""
    return lve_m2(take.part(FACE), true.part(FACE))


def measure_worst_moments(take: Take, true: Take) -> WorstMoments:
    """Return the largest squared distance over time of each vertex, block by block, to limit memory."""
    by_block = [
        np.square(vertex_distances(take.whole(frames), true.whole(frames))).max(axis=0)
        for frames in blocks(take.num_frames)
    ]
    return WorstMoments(np.max(by_block, axis=0))


def pool_worst_moments(found: WorstMoments) -> float:
    """Return the mean over vertices of the largest squared distance in any frame of any clip, in square
    metres.

    Raises UndefinedMetricError when the clips differ in their vertices.
    """
    if len(found.largest_m2) == 0:
        raise UndefinedMetricError("the clips differ in their numbers of vertices")
    return float(found.largest_m2.mean())
