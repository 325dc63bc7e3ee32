"""Export of motion of FLAME to an npz with the arrays of DiffPoseTalk: `shape`, `exp`, `pose`.

`shape` (frames, 100) is zero, since a motion has no identity; `exp` (frames, 50); `pose` (frames, 6) is the
head's rotation, then the jaw's, axis-angle in radians. Arrays beside them, which its readers ignore: `fps`,
`jaw` (frames, 3), `global_pose` (frames, 3), `layout_version`, `meta` (JSON).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from talkcli.engine.exports.curves import coefficients
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.channels import NUM_EXPRESSION
from talkcli.engine.files import atomic_path

_SHAPES = 100
_LAYOUT_VERSION = 1


def write(out: Path, piece: Piece) -> None:
    """Write the motion of the piece, which is one of FLAME, to the file `out`."""
    motion = coefficients(piece)
    frames = motion.num_frames
    head = np.zeros((frames, 3)) if motion.pose is None else motion.pose
    jaw = motion.coeffs[:, NUM_EXPRESSION:]
    arrays = {
        "shape": np.zeros((frames, _SHAPES)),
        "exp": motion.coeffs[:, :NUM_EXPRESSION],
        "pose": np.concatenate([head, jaw], axis=1),
        "jaw": jaw,
        "global_pose": head,
    }
    with atomic_path(out) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            **{name: values.astype(np.float32) for name, values in arrays.items()},
            fps=np.array(float(motion.fps)),
            layout_version=np.array(_LAYOUT_VERSION),
            meta=np.array(json.dumps(dict(piece.meta), sort_keys=True)),
        )
