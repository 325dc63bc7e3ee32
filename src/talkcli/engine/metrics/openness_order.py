"""Openness order: does the mouth open as far as the sound asks?

A measure of our own; the order is that of jaw heights in English (aa lowest), with s as the closed end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from talkcli.engine.metrics.phone_frames import at_middles
from talkcli.engine.metrics.take import Observations, Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment

# From wide open to nearly closed.
OPENNESS = ("AA", "AE", "EH", "IH", "S")


def openness_order(openings_mm: Mapping[str, Sequence[float]]) -> float:
    """Return Spearman's rank correlation of mean lip opening with the order aa > ae > eh > ih > s; no unit,
    1 when all five are in order.

    `openings_mm` holds, for each class, the lip opening at the middle of each of its phones in all clips.
    Undefined unless every class occurs.
    """
    if missing := [symbol.lower() for symbol in OPENNESS if not openings_mm.get(symbol)]:
        raise UndefinedMetricError(f"no {', '.join(missing)} in the words of all clips")
    means = np.array([np.mean(openings_mm[symbol]) for symbol in OPENNESS])
    if np.ptp(means) < 1e-6:
        raise UndefinedMetricError("the lips open alike in all classes")
    # Rank 0 is the smallest opening; equal means share their ranks.
    ranks = np.array([(means < mean).sum() + ((means == mean).sum() - 1) / 2 for mean in means])
    # Rounded, so that 1 is reached.
    return round(float(np.corrcoef(ranks, np.arange(len(OPENNESS))[::-1])[0, 1]), 9)


def measure(take: Take, alignment: Alignment) -> Observations:
    """Observe the lip openings of a take, in millimetres."""
    return at_middles(take.gap_mm(), alignment, OPENNESS, take.fps)
