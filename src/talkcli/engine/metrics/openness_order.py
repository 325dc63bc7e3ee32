"""Openness order: whether the mean lip opening of five phones follows the order of their jaw heights.

A measure of our own. The order is that of jaw heights in English (aa lowest), with s as the closed end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from talkcli.engine.metrics.phone_frames import at_middles
from talkcli.engine.metrics.take import Observations, Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment

# Symbols of the phones, from wide open to nearly closed.
OPENNESS = ("AA", "AE", "EH", "IH", "S")


def openness_order(openings_mm: Mapping[str, Sequence[float]]) -> float:
    """Return Spearman's rank correlation of the mean lip opening with the order aa > ae > eh > ih > s.

    The value has no unit; it is 1 when all five means are in this order. `openings_mm` holds the lip opening
    in millimetres at the middle of each phone of all clips, by symbol. Raises UndefinedMetricError unless
    every symbol occurs and the means differ.
    """
    if missing := [symbol.lower() for symbol in OPENNESS if not openings_mm.get(symbol)]:
        raise UndefinedMetricError(f"no {', '.join(missing)} in the words of all clips")
    means = np.array([np.mean(openings_mm[symbol]) for symbol in OPENNESS])
    if np.ptp(means) < 1e-6:
        raise UndefinedMetricError("the lips open alike in all classes")
    # Rank 0 is the smallest opening; equal means share their ranks.
    ranks = np.array([(means < mean).sum() + ((means == mean).sum() - 1) / 2 for mean in means])
    # Rounding removes the error of floating point, so that a perfect order gives exactly 1.
    return round(float(np.corrcoef(ranks, np.arange(len(OPENNESS))[::-1])[0, 1]), 9)


def measure(take: Take, alignment: Alignment) -> Observations:
    """Return the lip openings of a take at the middles of its phones, in millimetres."""
    return at_middles(take.gap_mm(), alignment, OPENNESS, take.fps)
