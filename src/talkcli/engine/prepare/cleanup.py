"""The clean-up of every clip's motion before it is written.

Axis names: `frames`, `coeffs`. First the rate, then the smoothing, so that the filter spans the same time
whatever the recording's rate: published motion is filtered at 25 fps. Rotations of the head are smoothed as
quaternions, so that no turn breaks them; for small ones that is the filter on axis-angle, as published.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from talkcli.engine.face.channels import is_share
from talkcli.engine.face.motion_file import HIGHEST_FPS, LOWEST_FPS
from talkcli.engine.face.quaternions import axis_angles, quaternions
from talkcli.engine.face.resample import resample
from talkcli.engine.face.savitzky_golay import LENGTH, savitzky_golay
from talkcli.engine.types import Config, Motion


class Cleanup(Config):
    """Choices that hold for all clips of a run."""

    smooth: bool = False
    """Savitzky-Golay filter of length 5 and order 2 along time; clips of fewer than 5 frames stay."""
    fps: Annotated[float, Field(ge=LOWEST_FPS, le=HIGHEST_FPS)] | None = None
    """Rate to which motion is resampled; None keeps each clip's own. Sound is never resampled with it."""
    keep_pose: bool = False
    """Whether the turn of the head stays in the motion file."""

    def __str__(self) -> str:
        done = [
            *([f"resampled to {self.fps:g} frames a second"] if self.fps is not None else []),
            *(["smoothed (Savitzky-Golay, length 5, order 2)"] if self.smooth else []),
        ]
        motion = " and ".join(done) or "neither resampled nor smoothed"
        return f"Motion is {motion}; the turning of the head is {'kept' if self.keep_pose else 'left out'}."


def clean(motion: Motion, cleanup: Cleanup) -> Motion:
    """Return `motion` as `cleanup` asks for; itself where nothing is asked for.

    A smoothed channel that is a share of full scale stays within the values it had in the clip: a parabola
    overshoots where lids or lips stay shut. FLAME's coefficients have no bounds and overshoot as published.
    """
    if not cleanup.keep_pose and motion.pose is not None:
        motion = replace(motion, pose=None)
    if cleanup.fps is not None:
        motion = resample(motion, cleanup.fps)
    if not cleanup.smooth or len(motion.coeffs) < LENGTH:
        return motion
    coeffs = savitzky_golay(motion.coeffs)
    shares = [column for column, name in enumerate(motion.channels) if is_share(name)]
    held = motion.coeffs[:, shares]
    coeffs[:, shares] = np.clip(coeffs[:, shares], held.min(axis=0), held.max(axis=0))
    pose = motion.pose
    if pose is not None:
        pose = axis_angles(savitzky_golay(quaternions(pose))).astype(np.float32)
    return replace(motion, coeffs=coeffs.astype(np.float32), pose=pose)
