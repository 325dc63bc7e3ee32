"""Square crops of the face, as the public script of SyncNet cuts them out of a video.

A box is the column and the row of the face's centre and half of its longer side, in pixels. Axis names:
`frames`; `rows`, `columns` of a picture; `side` of a crop.
Source: run_pipeline.py of SyncNet (Chung & Zisserman 2016), whose crops Wav2Lip scores too. The crop begins
at the top of the box, and reaches 0.4 of half the box beyond its sides and 0.8 below it. Boxes are smoothed
by a median over 13 frames, and what lies outside of the picture has the grey value 110. The script's boxes
are those of the detector S3FD; ours bound MediaPipe's landmarks, which end at the hairline, the chin and the
ears. At the ends of a video the script's median counts zeros in; ours repeats the first and the last box.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from scipy.ndimage import median_filter
from torch.nn import functional as F

from talkcli.engine.video.mesh import Sighting

# What the crop adds on either side, as a share of half the box; it adds twice as much below.
_AROUND = 0.4
# Number of frames of the median, and grey value outside of the picture.
_SMOOTHED, _OUTSIDE = 13, 110

Boxes = Float[np.ndarray, "frames 3"]


def box_of(sighting: Sighting | None) -> Float[np.ndarray, "3"]:
    """Return the box of a face; NaN without one."""
    return np.full(3, np.nan) if sighting is None else np.array([*sighting.centre, sighting.size / 2])


def boxes_of(landmarks: Float[np.ndarray, "frames 478 3"]) -> Boxes:
    """Return the box of the landmarks in each frame; NaN in frames without them."""
    low, high = landmarks[..., :2].min(axis=1), landmarks[..., :2].max(axis=1)
    return np.column_stack([(low + high) / 2, (high - low).max(axis=1) / 2])


def smooth(boxes: Boxes) -> Boxes:
    """Return boxes without gaps (straight lines bridge them) and without jitter.

    Raises ValueError without any box.
    """
    seen = np.isfinite(boxes).all(axis=1)
    if not seen.any():
        raise ValueError("no picture shows a face")
    frames = np.arange(len(boxes))
    filled = np.column_stack([np.interp(frames, frames[seen], column[seen]) for column in boxes.T])
    return np.asarray(median_filter(filled, size=(_SMOOTHED, 1), mode="nearest"))


def face_crop(
    picture: UInt8[np.ndarray, "rows columns 3"], box: Float[np.ndarray, "3"] | Sequence[float], side: int
) -> UInt8[np.ndarray, "side side 3"]:
    """Return the crop of a picture around `box`, resized bilinearly (not antialiased, as by OpenCV)."""
    column, row, half = (float(value) for value in box)
    left, top = int(column - half * (1 + _AROUND)), int(row - half)
    right, bottom = int(column + half * (1 + _AROUND)), int(row + half * (1 + 2 * _AROUND))
    cut = np.full((max(bottom - top, 1), max(right - left, 1), 3), _OUTSIDE, np.uint8)
    rows = slice(max(top, 0), min(bottom, picture.shape[0]))
    columns = slice(max(left, 0), min(right, picture.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        inside = picture[rows, columns]
        at = (rows.start - top, columns.start - left)
        cut[at[0] : at[0] + inside.shape[0], at[1] : at[1] + inside.shape[1]] = inside
    pixels = torch.from_numpy(cut).permute(2, 0, 1)[None].float()
    resized = F.interpolate(pixels, (side, side), mode="bilinear", align_corners=False)
    return resized[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy()
