"""Square crops of a video: of the face, as the public script of SyncNet cuts them, and of the mouth alone.

A box is the column and the row of the centre of face or mouth and half of its longer side, in pixels. Axis
names: `frames`; `rows`, `columns` of a picture; `side` of a crop.
Source: run_pipeline.py of SyncNet (Chung & Zisserman 2016), whose crops Wav2Lip scores too. The crop begins
at the top of the box, and reaches 0.4 of half the box beyond its sides and 0.8 below it. Boxes are smoothed
by a median over 13 frames (`face/crop_box.py`), and what lies outside of the picture has the grey value 110.
The script's boxes are those of the detector S3FD; ours bound MediaPipe's landmarks, which end at the
hairline, the chin and the ears. At the ends of a video the script's median counts zeros in; ours repeats the
first and the last box.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch.nn import functional as F

from talkcli.engine.face.crop_box import grey, mouth_box
from talkcli.engine.video.mesh import MOUTH_CORNERS, OUTER_EYE_CORNERS, Sighting

# What the crop adds on either side, as a share of half the box; it adds twice as much below.
_AROUND = 0.4
# Grey value outside of the picture.
_OUTSIDE = 110

Boxes = Float[np.ndarray, "frames 3"]


def box_of(sighting: Sighting | None) -> Float[np.ndarray, "3"]:
    """Return the box of a face; NaN without one."""
    return np.full(3, np.nan) if sighting is None else np.array([*sighting.centre, sighting.size / 2])


def boxes_of(landmarks: Float[np.ndarray, "frames 478 3"]) -> Boxes:
    """Return the box of the landmarks in each frame; NaN in frames without them."""
    low, high = landmarks[..., :2].min(axis=1), landmarks[..., :2].max(axis=1)
    return np.column_stack([(low + high) / 2, (high - low).max(axis=1) / 2])


def mouth_boxes_of(landmarks: Float[np.ndarray, "frames 478 3"]) -> Boxes:
    """Return the box of the mouth (`face/crop_box.py`) in each frame; NaN in frames without landmarks."""
    found = mouth_box(landmarks[:, MOUTH_CORNERS, :2], landmarks[:, OUTER_EYE_CORNERS])
    return np.column_stack([found.centre, found.half])


def face_crop(
    picture: UInt8[np.ndarray, "rows columns 3"], box: Float[np.ndarray, "3"] | Sequence[float], side: int
) -> UInt8[np.ndarray, "side side 3"]:
    """Return the crop of a picture around `box`, resized bilinearly (not antialiased, as by OpenCV)."""
    column, row, half = (float(value) for value in box)
    left, top = int(column - half * (1 + _AROUND)), int(row - half)
    right, bottom = int(column + half * (1 + _AROUND)), int(row + half * (1 + 2 * _AROUND))
    return _resized(_cut(picture, (left, right), (top, bottom)), side, antialias=False)


def mouth_crop(
    picture: UInt8[np.ndarray, "rows columns 3"], box: Float[np.ndarray, "3"] | Sequence[float], side: int
) -> UInt8[np.ndarray, "side side"]:
    """Return the grey crop of a picture to the box of a mouth, resized bilinearly with antialiasing, since
    close films have many pixels for one of the crop.
    """
    column, row, half = (float(value) for value in box)
    columns, rows = ((round(middle - half), round(middle + half)) for middle in (column, row))
    return grey(_resized(_cut(picture, columns, rows), side, antialias=True))


def _cut(
    picture: UInt8[np.ndarray, "rows columns 3"], columns: tuple[int, int], rows: tuple[int, int]
) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return the part of a picture from the first to before the last of `columns` and of `rows`."""
    (left, right), (top, bottom) = columns, rows
    cut = np.full((max(bottom - top, 1), max(right - left, 1), 3), _OUTSIDE, np.uint8)
    seen_rows = slice(max(top, 0), min(bottom, picture.shape[0]))
    seen_columns = slice(max(left, 0), min(right, picture.shape[1]))
    if seen_rows.start < seen_rows.stop and seen_columns.start < seen_columns.stop:
        inside = picture[seen_rows, seen_columns]
        at = (seen_rows.start - top, seen_columns.start - left)
        cut[at[0] : at[0] + inside.shape[0], at[1] : at[1] + inside.shape[1]] = inside
    return cut


def _resized(
    picture: UInt8[np.ndarray, "rows columns 3"], side: int, *, antialias: bool
) -> UInt8[np.ndarray, "side side 3"]:
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    resized = F.interpolate(pixels, (side, side), mode="bilinear", align_corners=False, antialias=antialias)
    return resized[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy()
