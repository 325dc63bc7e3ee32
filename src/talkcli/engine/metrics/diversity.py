"""Diversity: how much several performances of the same speech differ.

Axis names: `takes`, `frames`, `verts`, `coeffs`. The two measures that talk makes by default have the form of
multimodality (many motions for one condition). The first is the mean distance of all vertices of the head.
The second is the mean distance of whole coefficient sequences, as in the text-to-motion literature that
DEEPTalk cites (Ren et al. 2023). DEEPTalk's table 3 does not state in which space it measures, so its numbers
are not comparable with these. The other functions are variants of single papers; docs/metrics.md has a table
of them. Diversity of a whole set of features is in `set_diversity.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.take import Observations, Take, blocks, frame_mean, frame_values
from talkcli.engine.metrics.undefined import UndefinedMetricError

_Item = TypeVar("_Item")

# Number of takes and seed of ProbTalk3D's script.
_TAKES, _SEED = 10, 1234


def diversity_mm(takes: Sequence[Vertices]) -> float:
    """Return the mean vertex distance over all pairs of takes, all frames and all vertices, in millimetres.

    Raises UndefinedMetricError for fewer than two takes.
    """
    pairs = _pairs(takes)
    return float(np.mean([vertex_distances(*pair).mean(dtype=np.float64) for pair in pairs]) * 1e3)


def diversity_l2(takes: Sequence[Float[np.ndarray, "frames coeffs"]]) -> float:
    """Return the mean L2 distance over all pairs of takes, each flattened to one vector of coefficients.

    The distance grows with the square root of the number of frames. Its unit is that of the head's
    coefficients. Raises UndefinedMetricError for fewer than two takes.
    """
    pairs = _pairs(takes)
    return float(np.mean([np.linalg.norm(one.astype(np.float64) - other) for one, other in pairs]))


def multimodality_m(takes: Sequence[Vertices]) -> float:
    """Return the root of the sum over all ordered pairs of takes of their squared distance, in metres.

    Nothing divides it, so that it grows with takes, frames and vertices. Source: FaceDiffuser
    (evaluation, compute_multimodality.py). Raises UndefinedMetricError for fewer than two takes.
    """
    squares = [np.square(np.subtract(*pair, dtype=np.float64)).sum() for pair in _pairs(takes)]
    return float(np.sqrt(2 * np.sum(squares)))


def shuffled_diversity(distances: Sequence[Sequence[float]]) -> float:
    """Return ProbTalk3D's diversity of all clips: the mean over five random pairs of ten takes, then over
    clips.

    Source: ProbTalk3D (evaluation.py). The script seeds numpy once and shuffles the takes of one clip after
    the other: the first five are paired with the last five. The value therefore depends on the order of the
    clips; its expectation is that of all pairs.

    Args:
        distances: Mean vertex distance of all 45 pairs of each clip's ten takes, in the order of
            `itertools.combinations`.

    Raises:
        UndefinedMetricError: For another number of takes, for which the script has no value.
    """
    pairs = list(combinations(range(_TAKES), 2))
    if any(len(clip) != len(pairs) for clip in distances):
        raise UndefinedMetricError(f"needs {_TAKES} takes of every clip")
    draw = np.random.RandomState(_SEED)
    values = []
    for clip in distances:
        order = np.arange(_TAKES)
        draw.shuffle(order)
        halves = order.reshape(2, -1)
        chosen = zip(halves.min(axis=0).tolist(), halves.max(axis=0).tolist(), strict=True)
        values.append(np.mean([clip[pairs.index(pair)] for pair in chosen]))
    return float(np.mean(values))


def _pairs(takes: Sequence[_Item]) -> list[tuple[_Item, _Item]]:
    if len(takes) < 2:
        raise UndefinedMetricError("needs two takes or more of a clip (NAME.take01.npz, NAME.take02.npz)")
    return list(combinations(takes, 2))


def _whole(takes: Sequence[Take], frames: slice) -> list[Vertices]:
    """Return all vertices of each take; a single take is refused before its own are computed."""
    _pairs(takes)
    return [take.whole(frames) for take in takes]


def measure_mm(takes: Sequence[Take]) -> float:
    """Measure `diversity_mm` of the takes of a clip, block by block, to limit memory."""
    return frame_mean(takes[0].num_frames, lambda frames: diversity_mm(_whole(takes, frames)))


def measure_m(takes: Sequence[Take]) -> float:
    """Measure `diversity_mm` of the takes of a clip in metres."""
    return measure_mm(takes) / 1e3


def measure_multimodality_m(takes: Sequence[Take]) -> float:
    """Measure `multimodality_m` of the takes of a clip, block by block, to limit memory."""
    cut = blocks(takes[0].num_frames)
    return float(np.linalg.norm([multimodality_m(_whole(takes, frames)) for frames in cut]))


def measure_pairs(takes: Sequence[Take]) -> Observations:
    """Return the mean vertex distance of each pair of takes in metres, for `pool_shuffled`."""
    by_frame = frame_values(takes[0].num_frames, lambda frames: _pair_distances(_whole(takes, frames)))
    return {"pairs_m": by_frame.mean(axis=0).tolist(), "takes": [float(len(takes))]}


def _pair_distances(takes: Sequence[Vertices]) -> Float[np.ndarray, "frames pairs"]:
    apart = [vertex_distances(*pair).mean(axis=1, dtype=np.float64) for pair in _pairs(takes)]
    return np.stack(apart, axis=1)


def pool_shuffled(observations: Observations) -> float:
    """Return `shuffled_diversity` of all clips. Raises UndefinedMetricError unless each has ten takes."""
    if any(takes != _TAKES for takes in observations["takes"]):
        raise UndefinedMetricError(f"needs {_TAKES} takes of every clip")
    return shuffled_diversity(np.reshape(observations["pairs_m"], (len(observations["takes"]), -1)).tolist())


def measure_l2(takes: Sequence[Take]) -> float:
    """Measure `diversity_l2` of the takes of a clip."""
    return diversity_l2([take.coeffs() for take in takes])
