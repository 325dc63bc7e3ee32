"""Export to a motion file, talk's own format (`face/motion_file.py`)."""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.motion_file import write_motion


def write(out: Path, piece: Piece) -> None:
    """Write the motion of the piece and its meta to the file `out`."""
    write_motion(out, piece.motion, dict(piece.meta))
