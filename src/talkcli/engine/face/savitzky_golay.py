"""Savitzky and Golay's filter (1964) of length 5 and order 2, as data sets of this field are smoothed with.

Axis names: `frames`, `channels`. A value is replaced by that of the parabola that fits it and its neighbours
best; the two frames at either end lie on the first and last parabola, as is scipy's default.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

LENGTH, ORDER = 5, 2


def savitzky_golay(values: Float[np.ndarray, "frames channels"]) -> Float[np.ndarray, "frames channels"]:
    """Return `values` smoothed along time; fewer than 5 frames stay as they are."""
    # Loaded where it is used: it takes longer than most of what the processes that make clips do.
    import scipy.signal

    return values if len(values) < LENGTH else scipy.signal.savgol_filter(values, LENGTH, ORDER, axis=0)
