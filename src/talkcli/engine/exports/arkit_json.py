"""Export to the JSON of ARKit's curves that data sets and avatars of research exchange (BEAT, LAM).

`names` are the 52 curves; `metadata` has the rate; `frames` is a list of `weights` (52 numbers from 0 to 1),
`time` in seconds, and `rotation`, empty or the head's yaw, pitch and roll in radians as in Live Link Face.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from talkcli.engine.exports.curves import arkit_of, coefficients, write_lines
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.arkit import head_angles
from talkcli.engine.face.channels import ARKIT

_DECIMALS = 6


def write(out: Path, piece: Piece) -> None:
    """Write the curves of the piece, and its pose where it has one, to the file `out`."""
    motion, curves = coefficients(piece), arkit_of(piece)
    angles = None if motion.pose is None else head_angles(motion.pose)
    metadata = {
        "fps": motion.fps,
        "frame_count": motion.num_frames,
        "blendshape_names": list(ARKIT),
        "made_by": dict(piece.meta),
    }

    def lines() -> Iterator[str]:
        yield f'{{"names": {json.dumps(ARKIT)},'
        yield f'"metadata": {json.dumps(metadata, sort_keys=True)},'
        yield '"frames": ['
        for index in range(motion.num_frames):
            rotation = [] if angles is None else [round(float(angle[index]), _DECIMALS) for angle in angles]
            frame = {
                "weights": [round(float(curves[name][index]), _DECIMALS) for name in ARKIT],
                "time": round(index / motion.fps, _DECIMALS),
                "rotation": rotation,
            }
            yield json.dumps(frame) + ("," if index + 1 < motion.num_frames else "")
        yield "]}"

    write_lines(out, lines())
