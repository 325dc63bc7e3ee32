"""Rotations over time as numbers that may be averaged: axis-angle vectors to quaternions and back.

Axis names: `frames`; a quaternion is (w, x, y, z). An axis-angle vector jumps where its angle passes pi, and
has many lengths for one rotation; of a quaternion and its negative, the one nearer to the frame before is
taken, so that there are no jumps.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def quaternions(axis_angle: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "frames 4"]:
    """Return unit quaternions, continuous over the frames, of turns about vectors by their lengths in
    radians.
    """
    vectors = axis_angle.astype(np.float64)
    angles = np.linalg.norm(vectors, axis=1, keepdims=True)
    # sin(angle / 2) / angle, also at zero.
    result = np.concatenate([np.cos(angles / 2), vectors * np.sinc(angles / (2 * np.pi)) / 2], axis=1)
    turned_over = np.sum(result[1:] * result[:-1], axis=1) < 0
    result[1:] *= np.cumprod(np.where(turned_over, -1.0, 1.0))[:, None]
    return result


def rotations(quaternions: Float[np.ndarray, "frames 4"]) -> Float[np.ndarray, "frames 3 3"]:
    """Return the matrices of unit quaternions."""
    w, x, y, z = quaternions.T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def axis_angles(quaternions: Float[np.ndarray, "frames 4"]) -> Float[np.ndarray, "frames 3"]:
    """Return axis-angle vectors of length 0 to pi; quaternions need not have length 1."""
    upper = np.where(quaternions[:, :1] < 0, -quaternions, quaternions)
    sines = np.linalg.norm(upper[:, 1:], axis=1, keepdims=True)
    angles = 2 * np.arctan2(sines, upper[:, :1])
    return upper[:, 1:] * (angles / np.where(sines > 0, sines, 1.0))
