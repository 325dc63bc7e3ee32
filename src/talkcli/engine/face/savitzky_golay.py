"""Savitzky and Golay's filter (1964) of length 5 and order 2, as data sets of this field are smoothed with.

Axis names: `frames`, `channels`. Inside, a value is replaced by that of the parabola through its 5
neighbours; the two frames at either end lie on the first and last parabola, as in scipy's default.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

LENGTH = 5
_PARABOLA = np.vander(np.arange(LENGTH) - LENGTH // 2, 3)
# From 5 values to those of the parabola that fits them best.
_FIT = _PARABOLA @ np.linalg.pinv(_PARABOLA)


def savitzky_golay(values: Float[np.ndarray, "frames channels"]) -> Float[np.ndarray, "frames channels"]:
    """`values` smoothed along time, in double precision; fewer than 5 frames stay as they are."""
    values = values.astype(np.float64)
    if len(values) < LENGTH:
        return values
    half = LENGTH // 2
    inner = sum(weight * values[at : len(values) - LENGTH + 1 + at] for at, weight in enumerate(_FIT[half]))
    return np.concatenate([_FIT[:half] @ values[:LENGTH], inner, _FIT[-half:] @ values[-LENGTH:]])
