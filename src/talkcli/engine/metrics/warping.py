"""Dynamic time warping: the cheapest way through two tracks, step by step (Sakoe & Chiba 1978).

Axis names: `first`, `second` (frames of the two tracks). Steps go to the next frame of both tracks, of the
first, or of the second; nothing limits the path.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.metrics.undefined import UndefinedMetricError

# Largest number of pairs of frames: their costs and sums need 16 bytes each. At 25 fps this is four minutes.
_MOST_PAIRS = 6000**2


def warping_path(costs: Float[np.ndarray, "first second"]) -> Int[np.ndarray, "path 2"]:
    """Return the pairs of frames along the cheapest path from the first to the last pair.

    Of equally cheap steps, the path takes that of both tracks, then that of the first track.

    Args:
        costs: Cost of each pair of frames.

    Raises:
        UndefinedMetricError: For more than 36 million pairs (four minutes at 25 fps).
    """
    if costs.size > _MOST_PAIRS:
        raise UndefinedMetricError("the clip is too long for time warping")
    total = _totals(costs)
    pair = (costs.shape[0], costs.shape[1])
    path = [pair]
    while pair != (1, 1):
        row, column = pair
        steps = ((row - 1, column - 1), (row - 1, column), (row, column - 1))
        pair = min(steps, key=total.__getitem__)
        path.append(pair)
    return np.array(path[::-1]) - 1


def _totals(costs: Float[np.ndarray, "first second"]) -> Float[np.ndarray, "first1 second1"]:
    """Return the cost of the cheapest path to each pair, behind a first row and column of infinity.

    Pairs with one sum of indices depend on earlier sums only, so that each such diagonal is one step.
    """
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(rows + columns - 1):
        row = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        column = diagonal - row
        before = np.minimum(np.minimum(total[row, column], total[row, column + 1]), total[row + 1, column])
        total[row + 1, column + 1] = costs[row, column] + before
    return total
