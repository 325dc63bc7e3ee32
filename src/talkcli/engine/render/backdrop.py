"""The wall behind the head: a soft pool of light that falls off towards the corners.

Axis names: `height`, `width`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def backdrop(
    colour: tuple[float, float, float], height: int, width: int
) -> Float[np.ndarray, "height width 3"]:
    """Return linear RGB of the wall; `colour` is its mean tone."""
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None, :] + 0.5) / width
    aspect = width / height
    distance = np.hypot((x - 0.5) * aspect, (y - 0.42) * 0.9)
    glow = 0.45 + 1.25 * np.exp(-((distance / 0.42) ** 2))
    return glow[:, :, None] * np.asarray(colour)
