"""What is behind the head: a wall with a soft pool of light that falls off towards the corners, or an image.

Axis names: `height`, `width`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from talkcli.engine.errors import UsageError
from talkcli.engine.render.look import srgb
from talkcli.engine.render.renderer import Background

# 4x4 ordered dither in steps of the last bit; without it a dark gradient shows bands.
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16.0


def backdrop(background: Background, height: int, width: int) -> Float[np.ndarray, "height width 3"]:
    """Return linear RGB of what is behind the head, black for nothing; a colour is the wall's mean tone.

    Raises UsageError for an image of another size than the picture's.
    """
    if background is None:
        return np.zeros((height, width, 3))
    if isinstance(background, np.ndarray) and background.ndim == 3:
        if background.shape != (height, width, 3):
            raise UsageError(
                f"The background has {background.shape[1]}x{background.shape[0]} pixels, the picture has "
                f"{width}x{height}.",
                hint="Give an image of the picture's size.",
            )
        return np.clip(np.nan_to_num(background, posinf=1.0), 0.0, 1.0)
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None, :] + 0.5) / width
    # The pool of light is round, and as large as the smaller side asks.
    across, down = max(width / height, 1.0), max(height / width, 1.0)
    distance = np.hypot((x - 0.5) * across, (y - 0.42) * 0.9 * down)
    glow = 0.45 + 1.25 * np.exp(-((distance / 0.42) ** 2))
    return glow[:, :, None] * np.asarray(background)


def as_bytes(linear: Float[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """Return sRGB bytes of linear RGB, dithered."""
    height, width = linear.shape[:2]
    threshold = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    return np.clip(np.floor(255.0 * srgb(linear) + threshold), 0, 255).astype(np.uint8)
