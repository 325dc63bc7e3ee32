"""Upper-face dynamics deviation: the difference between how much the true and the predicted upper face move.

Axis names: `frames`, `verts`. Vertex set: the head's region `upper_face`. Source: CodeTalker (Xing et al.
2023) as its code computes it: the standard deviation over time of the squared displacement from the head at
rest. The value is signed: positive means that the prediction moves less than the truth. UniLS and DEEPTalk
give the name to other quantities; docs/metrics.md has a table of the variants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.metrics.distance import Vertices
from talkcli.engine.metrics.spoken import spoken_frames
from talkcli.engine.metrics.take import Take, frame_mean
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Speech

Rest = Float[np.ndarray, "verts 3"]

# Vertex set of UniLS, whose list of indices holds the vertices of both regions twice.
UNILS = "eyes+forehead with repeats"
# UniLS reports its deviations times this.
_HUNDRED = 100.0


def fdd_m2(predicted: Vertices, true: Vertices, rest: Rest, ddof: int = 0) -> float:
    """Return the mean over vertices of std_t(|true - rest|^2) - std_t(|predicted - rest|^2), in square
    metres.

    The published average over sequences is signed as well, so errors of opposite signs cancel there.

    Args:
        predicted: Predicted upper-face vertices in metres.
        true: True upper-face vertices in metres.
        rest: Upper-face vertices of the head at rest in metres.
        ddof: What is subtracted from the number of frames in the standard deviation: 0, or 1 as in
            language_of_motion.
    """
    spreads = (displacements_m2(vertices, rest).std(axis=0, ddof=ddof) for vertices in (true, predicted))
    return float(np.subtract(*spreads).mean())


def displacements_m2(vertices: Vertices, rest: Rest) -> Float[np.ndarray, "frames verts"]:
    """Return the squared distance of each vertex from its place at rest, in square metres."""
    return np.square(vertices.astype(np.float64) - rest).sum(axis=-1)


def fdd_unils(predicted: Vertices, true: Vertices, chosen: Bool[np.ndarray, "frames"] | None = None) -> float:
    """Return 100 times the mean over vertices of |std_t(predicted x+y+z) - std_t(true x+y+z)|, in
    millimetres.

    Source: UniLS (core/models/modules/metrics.py). The sum of the coordinates of a vertex is signed, nothing
    is subtracted from it, and the standard deviation divides by one frame less.

    Args:
        predicted: Predicted upper-face vertices in metres.
        true: True upper-face vertices in metres.
        chosen: Frames that count; None for all.

    Raises:
        UndefinedMetricError: For fewer than two frames.
    """
    spreads = [_spread_of_sums(vertices, chosen) for vertices in (predicted, true)]
    return float(np.abs(spreads[0] - spreads[1]).mean() * 1e3 * _HUNDRED)


def _spread_of_sums(
    vertices: Vertices, chosen: Bool[np.ndarray, "frames"] | None
) -> Float[np.ndarray, "verts"]:
    sums = vertices.astype(np.float64).sum(axis=-1)
    if chosen is not None:
        sums = sums[chosen]
    if len(sums) < 2:
        raise UndefinedMetricError("needs two frames or more")
    return sums.std(axis=0, ddof=1)


def fdd_deeptalk(predicted: Vertices, true: Vertices, rest: Rest, upper: Bool[np.ndarray, "verts"]) -> float:
    """Return the mean over frames of |std_v(true) - std_v(predicted)|, in metres, where std_v is the standard
    deviation over all vertices of the displacement's x + y + z, 0 outside `upper`.

    Source: DEEPTalk (utils/metric.py, called nowhere). Its axes are swapped, so that it compares the spread
    over the face and not over time, and the zeros of the rest of the head count.

    Args:
        predicted: All predicted vertices in metres.
        true: All true vertices in metres.
        rest: All vertices of the head at rest in metres.
        upper: Whether a vertex belongs to the upper face.
    """
    spreads = [
        np.where(upper, (vertices.astype(np.float64) - rest).sum(axis=-1), 0.0).std(axis=1, ddof=1)
        for vertices in (true, predicted)
    ]
    return float(np.abs(spreads[0] - spreads[1]).mean())


@dataclass
class SpreadOverClips:
    """Mean and variance of each vertex's `displacements_m2` over the frames of all clips.

    Source: torchmetrics, pull request 3238, whose class has one standard deviation over all clips. Moments
    are added by Chan, Golub & LeVeque (1983).
    """

    frames: int
    """Number of frames."""
    means: Float[np.ndarray, "2 verts"]
    """Means of truth and prediction; of no vertices for clips that differ in their numbers of vertices."""
    variances: Float[np.ndarray, "2 verts"]
    """Variances over frames of both."""
    clips: int = 1
    """Number of clips."""

    def join(self, other: SpreadOverClips) -> None:
        """Add the clips of another."""
        self.clips += other.clips
        if self.means.shape != other.means.shape:
            self.means = self.variances = np.zeros((2, 0))
            return
        total = self.frames + other.frames
        share, apart = other.frames / total, other.means - self.means
        within = (1 - share) * self.variances + share * other.variances
        self.variances = within + share * (1 - share) * np.square(apart)
        self.means = self.means + share * apart
        self.frames = total


def measure(take: Take, true: Take) -> float:
    """Measure `fdd_m2` of a take."""
    return fdd_m2(take.part("upper_face"), true.part("upper_face"), take.at_rest("upper_face"))


def measure_absolute(take: Take, true: Take) -> float:
    """Measure the absolute value of `fdd_m2` of a take, which FaceDiffuser's script prints too."""
    return abs(measure(take, true))


def measure_first(takes: Sequence[Take], true: Take) -> float:
    """Measure `fdd_m2` of the first take."""
    return measure(takes[0], true)


def measure_sample_spread(take: Take, true: Take) -> float:
    """Measure `fdd_m2` of a take with the standard deviation that divides by one frame less."""
    return fdd_m2(take.part("upper_face"), true.part("upper_face"), take.at_rest("upper_face"), ddof=1)


def measure_by_frames_mm2(take: Take, true: Take) -> float:
    """Measure `fdd_m2` of a take in square millimetres, divided by its number of frames.

    The mean of this over clips, weighted by frames, is the sum of the clips' values divided by the number of
    all frames, as a fork of language_of_motion's class has it.
    """
    return measure(take, true) * 1e6 / take.num_frames


def measure_unils(take: Take, true: Take) -> float:
    """Measure `fdd_unils` of all frames of a take."""
    return fdd_unils(take.part(UNILS), true.part(UNILS))


def measure_spoken_unils(take: Take, beside: tuple[Take, Speech]) -> float:
    """Measure `fdd_unils` of the spoken frames of a take."""
    true, speech = beside
    return fdd_unils(take.part(UNILS), true.part(UNILS), spoken_frames(take, speech))


def measure_deeptalk(take: Take, true: Take) -> float:
    """Measure `fdd_deeptalk` of a take, block by block, to limit memory."""
    rest = take.at_rest("all")
    upper = np.zeros(len(rest), dtype=bool)
    upper[take.indices("upper_face")] = True
    return frame_mean(
        take.num_frames, lambda frames: fdd_deeptalk(take.whole(frames), true.whole(frames), rest, upper)
    )


def measure_moments(take: Take, true: Take) -> SpreadOverClips:
    """Return each vertex's moments over the frames of a clip."""
    rest = take.at_rest("upper_face")
    squares = [displacements_m2(motion.part("upper_face"), rest) for motion in (true, take)]
    return SpreadOverClips(
        frames=take.num_frames,
        means=np.stack([each.mean(axis=0) for each in squares]),
        variances=np.stack([each.var(axis=0) for each in squares]),
    )


def pool_moments(found: SpreadOverClips) -> float:
    """Return `fdd_m2` of the frames of all clips in one row.

    Raises UndefinedMetricError when the clips differ in their vertices.
    """
    if found.variances.size == 0:
        raise UndefinedMetricError("the clips differ in their numbers of vertices")
    true, predicted = np.sqrt(found.variances)
    return float((true - predicted).mean())
