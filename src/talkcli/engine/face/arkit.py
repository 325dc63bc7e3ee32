"""ARKit's named curves as the 53 numbers of ada and back, and the head's angles beside them as a turn.

Axis names: `frames`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, ARKIT, JAW_OPEN_RAD, JAW_SIDE_RAD, SMALL_PITCH_RAD, learned
from talkcli.engine.face.quaternions import axis_angles, quaternions

# How ARKit's jaw shapes turn ada's jaw: channel and full scale in radians.
JAW_TURNS = {
    "jawOpen": ("jawPitch", JAW_OPEN_RAD),
    "jawLeft": ("jawYaw", JAW_SIDE_RAD),
    "jawRight": ("jawYaw", -JAW_SIDE_RAD),
}
# Share of ARKit's `tongueOut` that shows a tongue between the teeth, as in the visemes of the rules for th.
_OUT_BETWEEN = 0.65


def ada_coeffs(
    curves: Mapping[str, Float[np.ndarray, "frames"]], num_frames: int
) -> Float[np.ndarray, "frames 53"]:
    """Return ada's coefficients for curves named as in ARKIT or ADA; what is not named rests at 0.

    Raises ValueError for a name that is neither.
    """
    coeffs = np.zeros((num_frames, len(ADA)), dtype=np.float32)
    for name, values in curves.items():
        channel, scale = JAW_TURNS.get(name, (name, 1.0))
        coeffs[:, ADA.index(channel)] += values * scale
    return coeffs


def arkit_curves(
    coeffs: Float[np.ndarray, "frames coeffs"], channels: Iterable[str]
) -> dict[str, Float[np.ndarray, "frames"]]:
    """Return the 52 curves of ARKit, each from 0 to 1, for ada's coefficients: what `ada_coeffs` undoes.

    `channels` names the columns, as a motion file does; FLAME's have other meanings. Raises InputError for
    any but `ADA`, after which those of `TONGUE` may follow.

    `jawOpen` is the jaw's pitch over `JAW_OPEN_RAD`, `jawLeft` and `jawRight` its yaw over `JAW_SIDE_RAD`.
    ARKit has no `lipSeal`: it goes into `mouthClose`, of which as much as `jawOpen` closes the lips. ARKit's
    jaw does not roll, so that `jawRoll` is left out, as is what lies beyond 0 and 1. So are `tongueTipUp` and
    `tongueBackUp`; a tongue between the teeth is seen, and becomes as much of `tongueOut` as the rules show.
    """
    names = tuple(channels)
    if learned(names) != ADA:
        raise InputError(
            "ARKit's curves are made of motion for ada; this motion has the channels of another head.",
            hint="Animate with a model for ada, for example the embedded one.",
        )
    at = {name: coeffs[:, index] for index, name in enumerate(names)}
    curves = {name: at[name] for name in ARKIT if name in at}
    curves |= {name: at[channel] / scale for name, (channel, scale) in JAW_TURNS.items()}
    opened = np.maximum(at["jawPitch"], SMALL_PITCH_RAD) / JAW_OPEN_RAD
    curves["mouthClose"] = np.minimum(at["mouthClose"] + at["lipSeal"] * opened, opened)
    if "tongueBetween" in at:
        curves["tongueOut"] = np.maximum(at["tongueOut"], _OUT_BETWEEN * at["tongueBetween"])
    return {name: np.clip(curves[name], 0.0, 1.0) for name in ARKIT}


def head_angles(
    pose: Float[np.ndarray, "frames 3"],
) -> tuple[Float[np.ndarray, "frames"], Float[np.ndarray, "frames"], Float[np.ndarray, "frames"]]:
    """Return yaw, pitch and roll in radians, as Live Link Face calls them, of the head's turn: what
    `head_pose` undoes for a pitch below a quarter turn.
    """
    w, x, y, z = quaternions(pose.astype(np.float64)).T
    pitch = np.arcsin(np.clip(2 * (w * x - y * z), -1, 1))
    yaw = np.arctan2(2 * (x * z + w * y), 1 - 2 * (x * x + y * y))
    roll = np.arctan2(2 * (x * y + w * z), 1 - 2 * (x * x + z * z))
    return -yaw, pitch, -roll


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
