"""Upper-face dynamics deviation: the difference between how much the true and the predicted upper face move.

Axis names: `frames`, `verts`. Vertex set: the head's region `upper_face`. Source: CodeTalker (Xing et al.
2023) as its code computes it: the standard deviation over time of the squared displacement from the head at
rest. The value is signed: positive means that the prediction moves less than the truth. UniLS and DEEPTalk
give the name to other quantities; docs/metrics.md has a table of the variants.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.metrics.distance import Vertices
from talkcli.engine.metrics.spoken import spoken_frames
from talkcli.engine.metrics.take import Observations, Take, frame_mean
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


def fdd_of_all_frames(
    frames: Sequence[float],
    true: tuple[np.ndarray, np.ndarray],
    predicted: tuple[np.ndarray, np.ndarray],
) -> float:
    """Return `fdd_m2` of the frames of all clips in one row, from the moments of each clip.

    Source: torchmetrics, pull request 3238, whose class has one standard deviation over all clips.

    Args:
        frames: Number of frames of each clip.
        true: Mean and variance (over its frames) of each clip's true `displacements_m2`, `clips verts` each.
        predicted: The same of the prediction.
    """
    shares = np.asarray(frames)[:, None] / np.sum(frames)
    spreads = []
    for means, variances in (true, predicted):
        apart = np.square(means - (shares * means).sum(axis=0))
        spreads.append(np.sqrt((shares * (variances + apart)).sum(axis=0)))
    return float((spreads[0] - spreads[1]).mean())


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


def measure_moments(take: Take, true: Take) -> Observations:
    """Return the number of frames, and each vertex's moments over them, for `pool_moments`."""
    rest = take.at_rest("upper_face")
    found = {"frames": [float(take.num_frames)]}
    for name, motion in (("true", true), ("predicted", take)):
        squares = displacements_m2(motion.part("upper_face"), rest)
        found[f"{name}_mean"], found[f"{name}_variance"] = (
            squares.mean(axis=0).tolist(),
            squares.var(axis=0).tolist(),
        )
    return found


def pool_moments(observations: Observations) -> float:
    """Return `fdd_of_all_frames` of all clips."""
    frames = observations["frames"]
    true, predicted = (
        tuple(
            np.reshape(observations[f"{name}_{moment}"], (len(frames), -1)) for moment in ("mean", "variance")
        )
        for name in ("true", "predicted")
    )
    return fdd_of_all_frames(frames, (true[0], true[1]), (predicted[0], predicted[1]))
