"""Export to the CSV of Apple's Live Link Face app, which Unreal Engine and its followers read.

Columns: Timecode, BlendshapeCount, ARKit's 52 curves from 0 to 1 in the app's order (it swaps left and right
of the jaw's and the mouth's against Unreal's list), then the angles of head and eyes in radians: yaw to the
subject's right, pitch down, roll as `head_pose` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.curves import arkit_of, coefficients, gaze_rad, write_lines
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.arkit import head_angles
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.face.topology import Topology
from talkcli.engine.readers.timecode import counted_rate, timecode, written_rates
from talkcli.engine.types import MotionSpace

_SWAPPED = {
    "jawLeft": "jawRight",
    "jawRight": "jawLeft",
    "mouthLeft": "mouthRight",
    "mouthRight": "mouthLeft",
}
ORDER = tuple(_SWAPPED.get(name, name) for name in ARKIT)
_ANGLES = tuple(
    f"{part}{axis}" for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll")
)
HEADER = ("Timecode", "BlendshapeCount", *(name[0].upper() + name[1:] for name in ORDER), *_ANGLES)


def fits(out: Path, space: MotionSpace, fps: float, topology: Topology | None) -> None:  # noqa: ARG001
    """Raise UsageError for a frame rate that no timecode counts."""
    if counted_rate(fps) is None:
        raise UsageError(
            f"{out}: a timecode counts {', '.join(written_rates())} frames a second, the motion has "
            f"{fps:.9g}.",
            hint="Add `fps=60` or `fps=30`, the rates of Live Link Face.",
        )


def write(out: Path, piece: Piece) -> None:
    """Write the curves of the piece, its pose and its gaze to the file `out`.

    Raises UsageError for a frame rate that no timecode counts.
    """
    motion = coefficients(piece)
    fits(out, motion.space, motion.fps, None)
    curves = arkit_of(piece)
    pose = np.zeros((motion.num_frames, 3)) if motion.pose is None else motion.pose
    columns = [curves[name] for name in ORDER] + list(head_angles(pose))
    for side in ("Left", "Right"):
        left, down = gaze_rad(curves, side)
        columns += [-left, down, np.zeros_like(left)]

    def lines() -> Iterator[str]:
        yield ",".join(HEADER)
        for index in range(motion.num_frames):
            values = ",".join(f"{float(column[index]):.10f}" for column in columns)
            yield f"{timecode(index, motion.fps)}.000,{len(columns)},{values}"

    write_lines(out, lines())
