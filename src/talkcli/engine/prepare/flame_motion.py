"""Motion of the FLAME head from other projects' arrays of expression, jaw and head rotation.

Axis names: `frames`, `coeffs` = 50 or more expression coefficients. Rotations are axis-angle in radians.
FLAME stands upright (y up), looks along z, and has its left at x. Without rotation it faces the camera, as in
DECA and EMOCA, whose pictures show it from z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Shaped

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import (
    FLAME,
    MOST_EXPRESSION,
    MOST_JAW_RAD,
    MOST_POSE_RAD,
    NUM_EXPRESSION,
)
from talkcli.engine.types import Motion
from talkcli.engine.wording import counted


def flame_motion(
    where: object,
    *,
    expression: Shaped[np.ndarray, "..."],
    jaw: Shaped[np.ndarray, "..."],
    pose: Shaped[np.ndarray, "..."],
    fps: float,
) -> Motion:
    """Return the motion of the given arrays.

    Args:
        where: File or clip, for messages.
        expression: (frames, 50 or more); the first 50 are kept.
        jaw: (frames, 3).
        pose: Rotation of the head, (frames, 3).
        fps: Frames per second.

    Raises:
        InputError: Shapes or types are others, or values are not finite or beyond those of any face.
    """
    parts = {
        "expression": (expression, MOST_EXPRESSION),
        "jaw": (jaw, MOST_JAW_RAD),
        "head rotation": (pose, MOST_POSE_RAD),
    }
    for name, (values, most) in parts.items():
        lowest, highest = (NUM_EXPRESSION, np.inf) if name == "expression" else (3, 3)
        if values.ndim != 2 or not lowest <= values.shape[1] <= highest or len(values) == 0:
            width = f"{NUM_EXPRESSION} or more" if name == "expression" else "3"
            raise InputError(f"{where}: {name} is {values.shape}, (frames, {width}) is needed.")
        if len(values) != len(expression):
            raise InputError(
                f"{where}: {name} has {counted(len(values), 'frame')}, expression {len(expression)}."
            )
        if values.dtype.kind != "f":
            raise InputError(f"{where}: {name} is {values.dtype}, floats are needed.")
        if not np.isfinite(values).all():
            raise InputError(f"{where}: {name} has values that are not finite numbers.")
        largest = float(np.abs(values).max())
        if largest > most:
            raise InputError(f"{where}: {name} reaches {largest:.3g}, but no face exceeds +-{most:.3g}.")
    coeffs = np.concatenate([expression[:, :NUM_EXPRESSION], jaw], axis=1)
    return Motion(
        coeffs=coeffs.astype(np.float32), fps=fps, head="flame", channels=FLAME, pose=pose.astype(np.float32)
    )


def join_motions(motions: Sequence[Motion]) -> Motion:
    """Concatenate motions that have a pose and share one rate and one head."""
    poses = [motion.pose for motion in motions if motion.pose is not None]
    coeffs = np.concatenate([motion.coeffs for motion in motions])
    return replace(motions[0], coeffs=coeffs, pose=np.concatenate(poses))
