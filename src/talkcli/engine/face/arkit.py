"""ARKit's named curves as the 53 numbers of ada.

Axis names: `frames`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD, JAW_SIDE_RAD, NUM_COEFFS

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
