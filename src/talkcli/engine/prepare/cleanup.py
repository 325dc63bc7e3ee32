"""The clean-up of every clip's motion before it is written.

Axis names: `frames`, `coeffs`. The resampling comes before the smoothing, so that the filter spans the same
time whatever the recording's rate; published motion is filtered at 25 fps. Rotations of the head are smoothed
as quaternions, so that full turns do not break them; for small rotations this equals the published filter on
axis-angle.
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
    """Options of the cleanup, which hold for all clips of a run."""

    smooth: bool = False
    """Whether to apply a Savitzky-Golay filter of length 5 and order 2 along time; clips of fewer than 5
    frames stay as they are.
    """
    fps: Annotated[float, Field(ge=LOWEST_FPS, le=HIGHEST_FPS)] | None = None
    """Frames per second to which motion is resampled; None keeps each clip's own. Sound is not resampled."""
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
    """Return `motion` cleaned as `cleanup` asks; the same object where it asks for nothing.

    A smoothed channel that is a share of full scale stays within the values it had in the clip, because the
    filter's parabola overshoots where lids or lips stay shut. FLAME's coefficients have no bounds and may
    overshoot, as they do with the published filter.
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
