"""Derivatives of residuals over the points of a head, by finite differences.

Axis names: `frames`, `coeffs`, `moving` = channels in use, `tried` = tries of a frame, `points`, `rows` =
residuals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

# Change of a channel: it smooths over the small kinks in a head's motion.
_STEP = 0.04


def slopes_of(
    points: Callable[[Float[np.ndarray, "tried coeffs"]], Float[np.ndarray, "tried points 3"]],
    rows: Callable[[Float[np.ndarray, "frames tried points 3"]], Float[np.ndarray, "frames tried rows"]],
    coeffs: Float[np.ndarray, "frames coeffs"],
    moving: Int[np.ndarray, "moving"],
) -> Float[np.ndarray, "frames rows moving"]:
    """Return the derivatives of the residuals with respect to the channels `moving` of `coeffs`.

    Args:
        points: Function that returns the points of a head with some coefficients.
        rows: Function that returns residuals of points, of several tries in every frame.
        coeffs: Coefficients of every frame.
        moving: Channels in use.
    """
    values, num = coeffs[:, moving], len(moving)
    # Towards the middle of the channel's scale.
    step = np.where(values < 0.5, _STEP, -_STEP)
    tried = np.repeat(coeffs[:, None], num, axis=1)
    tried[:, np.arange(num), moving] += step
    places = points(tried.reshape(-1, coeffs.shape[1]))
    found = rows(places.reshape(*tried.shape[:2], *places.shape[1:]))
    found -= rows(points(coeffs)[:, None])
    return (found / step[..., None]).transpose(0, 2, 1)
