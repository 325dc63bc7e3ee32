"""Mean temporal misalignment: how far the extrema of the lip opening lie from the true ones in time.

Axis names: `frames`, `others` (frames of the truth). The opening is the distance of the middles of both
lips. Source: Perceptual-3D-Talking-Head (Lee et al. 2025, evaluation of MTM): both openings are smoothed,
derivative dynamic time warping pairs their frames, and of the pairs of extrema of one kind those count
whose predicted one lies between the neighbouring true ones. A mouth that never moves has no pair and is not
punished.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter1d

from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.metrics.warping import warping_path

# Standard deviation in frames of the Gaussian that smooths openings; it is cut at four of them.
_SMOOTH = 2.0


def misalignments(
    opening: Float[np.ndarray, "frames"], true: Float[np.ndarray, "others"]
) -> Int[np.ndarray, "pairs"]:
    """Return the distance in frames of each counted pair of extrema, in order of time.

    Both tracks have one frame rate. The published script drops every second frame of the truth before, since
    it expects a truth at twice the prediction's rate.
    """
    smooth, true_smooth = (gaussian_filter1d(track.astype(np.float64), _SMOOTH) for track in (opening, true))
    steps, true_steps = (np.diff(track, prepend=track[:1]) for track in (smooth, true_smooth))
    path = warping_path(np.abs(true_steps[:, None] - steps[None]))
    kinds, true_kinds = _extrema(smooth), _extrema(true_smooth)
    marked = np.flatnonzero(true_kinds)
    found = []
    for at_true, at in path:
        kind = true_kinds[at_true]
        if kind == 0 or kinds[at] != kind:
            continue
        rank = int(np.searchsorted(marked, at_true))
        earliest = marked[rank - 1] if rank > 0 else 0
        latest = marked[rank + 1] if rank + 1 < len(marked) else len(true_smooth) - 1
        if earliest <= at <= latest:
            found.append(abs(int(at_true) - int(at)))
    return np.array(found, dtype=np.int64)


def mtm_frames(opening: Float[np.ndarray, "frames"], true: Float[np.ndarray, "others"]) -> float:
    """Return the mean of `misalignments`, in frames. Raises UndefinedMetricError without a pair."""
    found = misalignments(opening, true)
    if len(found) == 0:
        raise UndefinedMetricError("no extremum of the lip opening has a true counterpart")
    return float(found.mean())


def _extrema(track: Float[np.ndarray, "frames"]) -> Int[np.ndarray, "frames"]:
    """Return 1 at strict maxima, -1 at strict minima, and 0 elsewhere; the ends and plateaus are neither."""
    kinds = np.zeros(len(track), dtype=np.int64)
    before, middle, after = track[:-2], track[1:-1], track[2:]
    kinds[1:-1] = ((middle > before) & (middle > after)).astype(np.int64)
    kinds[1:-1] -= (middle < before) & (middle < after)
    return kinds


def _opening(take: Take) -> Float[np.ndarray, "frames"]:
    lips = take.mid_lips().astype(np.float64)
    return np.linalg.norm(lips[:, 0] - lips[:, 1], axis=-1)


def measure_frames(take: Take, true: Take) -> float:
    """Measure `mtm_frames` of a take."""
    return mtm_frames(_opening(take), _opening(true))


def measure_ms(take: Take, true: Take) -> float:
    """Measure `mtm_frames` of a take, in milliseconds."""
    return measure_frames(take, true) * 1000 / take.fps


def measure_halved(take: Take, true: Take) -> float:
    """Measure `mtm_frames` with every second frame of the truth, as the script does whatever its rate."""
    return mtm_frames(_opening(take), _opening(true)[::2])
