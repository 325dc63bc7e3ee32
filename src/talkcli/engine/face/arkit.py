"""ARKit's named curves as the 53 numbers of ada, and the head's angles beside them as a turn.

Axis names: `frames`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD, JAW_SIDE_RAD, NUM_COEFFS
from talkcli.engine.face.quaternions import axis_angles

# How ARKit's jaw shapes turn ada's jaw: channel and full scale in radians.
JAW_TURNS = {
    "jawOpen": ("jawPitch", JAW_OPEN_RAD),
    "jawLeft": ("jawYaw", JAW_SIDE_RAD),
    "jawRight": ("jawYaw", -JAW_SIDE_RAD),
}


def ada_coeffs(
    curves: Mapping[str, Float[np.ndarray, "frames"]], num_frames: int
) -> Float[np.ndarray, "frames 53"]:
    """ada's coefficients for curves named as in ARKIT or ADA; what is not named rests at 0.

    Raises ValueError for a name that is neither.
    """
    coeffs = np.zeros((num_frames, NUM_COEFFS), dtype=np.float32)
    for name, values in curves.items():
        channel, scale = JAW_TURNS.get(name, (name, 1.0))
        coeffs[:, ADA.index(channel)] += values * scale
    return coeffs


def head_pose(
    yaw: Float[np.ndarray, "frames"], pitch: Float[np.ndarray, "frames"], roll: Float[np.ndarray, "frames"]
) -> Float[np.ndarray, "frames 3"]:
    """The head's turn, axis-angle, from the angles in radians that Live Link Face calls so.

    Signs are those of its eyes' angles against its curves of gaze, measured on recordings: pitch is positive
    downwards, yaw to the subject's right. That of roll follows, for a mirrored face. Yaw turns the pitched
    head, pitch the rolled one.
    """
    half = np.stack([pitch, -yaw, -roll]).astype(np.float64) / 2
    (cos_x, cos_y, cos_z), (sin_x, sin_y, sin_z) = np.cos(half), np.sin(half)
    product = (
        cos_y * cos_x * cos_z + sin_y * sin_x * sin_z,
        cos_y * sin_x * cos_z + sin_y * cos_x * sin_z,
        sin_y * cos_x * cos_z - cos_y * sin_x * sin_z,
        cos_y * cos_x * sin_z - sin_y * sin_x * cos_z,
    )
    return axis_angles(np.stack(product, axis=1)).astype(np.float32)
