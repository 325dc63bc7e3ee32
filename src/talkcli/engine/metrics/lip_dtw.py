"""Lip error after time warping: how far the lip opening is from the true one, whatever the timing.

Axis names: `frames`, `others` (frames of the truth). A measure of our own, in the manner of Imitator
(Thambiraja et al. 2023), which compares lip distances by dynamic time warping. A motion that is late but
right has a small value; `mtm_ms` and `sync_lag_ms` say how late it is.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.warping import warping_path


def lip_dtw_mm(opening_mm: Float[np.ndarray, "frames"], true_mm: Float[np.ndarray, "others"]) -> float:
    """Return the mean absolute difference of two lip openings along the cheapest path, in millimetres."""
    costs = np.abs(true_mm.astype(np.float64)[:, None] - opening_mm[None])
    path = warping_path(costs)
    return float(costs[path[:, 0], path[:, 1]].mean())


def measure(take: Take, true: Take) -> float:
    """Measure `lip_dtw_mm` of the lip gap of a take."""
    return lip_dtw_mm(take.gap_mm(), true.gap_mm())
