"""Which part of a picture is the mouth, and boxes that follow a face without jitter.

Axis names: `frames`, `dims` (2 or 3), `numbers` of a box; `rows`, `columns` of a picture. The definition
holds for points of any unit, so that a crop of a film (pixels, `video/face_crops.py`) and a drawing (metres,
`render/mouths.py`) show the same part of a face.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import median_filter

# Side of the crop as a share of the distance of the eyes' outer corners: an open mouth with its lips.
_MOUTH_SIDE = 0.8
# Shares of red, green and blue in grey (ITU-R BT.601).
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
# Number of frames of the median, as in the public script of SyncNet.
_SMOOTHED = 13


class MouthBox(NamedTuple):
    """Upright squares around a mouth over time."""

    centre: Float[np.ndarray, "frames dims"]
    """The middle between the corners of the mouth."""
    half: Float[np.ndarray, "frames"]
    """Half of the side."""


def mouth_box(corners: Float[np.ndarray, "frames 2 dims"], eyes: Float[np.ndarray, "frames 2 _"]) -> MouthBox:
    """Return the box of a mouth in each frame.

    Args:
        corners: Corners of the mouth.
        eyes: Outer corners of the eyes; in 3D, so that turning the head does not make the box smaller.
    """
    apart = np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=-1)
    return MouthBox(corners.mean(axis=1), _MOUTH_SIDE / 2 * apart)


def steady(boxes: Float[np.ndarray, "frames numbers"]) -> Float[np.ndarray, "frames numbers"]:
    """Return boxes without gaps (straight lines bridge them) and without jitter (a median over 13 frames).

    Raises ValueError without any box.
    """
    seen = np.isfinite(boxes).all(axis=1)
    if not seen.any():
        raise ValueError("no picture shows a face")
    frames = np.arange(len(boxes))
    filled = np.column_stack([np.interp(frames, frames[seen], column[seen]) for column in boxes.T])
    return np.asarray(median_filter(filled, size=(_SMOOTHED, 1), mode="nearest"))


def grey(picture: UInt8[np.ndarray, "rows columns 3"]) -> UInt8[np.ndarray, "rows columns"]:
    """Return the grey values of a picture in red, green, blue."""
    return np.rint(picture @ _GREY).astype(np.uint8)
