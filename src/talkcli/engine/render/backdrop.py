"""The wall behind the head: a soft pool of light that falls off towards the corners.

Axis names: `height`, `width`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def backdrop(
    behind: tuple[float, float, float] | Float[np.ndarray, "height width 3"] | None, height: int, width: int
) -> Float[np.ndarray, "height width 3"]:
    """Return linear RGB of a wall whose mean tone is `behind`; a picture as it is, and black for None."""
    if behind is None:
        return np.zeros((height, width, 3))
    if isinstance(behind, np.ndarray):
        return behind
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None, :] + 0.5) / width
    aspect = width / height
    distance = np.hypot((x - 0.5) * aspect, (y - 0.42) * 0.9)
    glow = 0.45 + 1.25 * np.exp(-((distance / 0.42) ** 2))
    return glow[:, :, None] * np.asarray(behind)
