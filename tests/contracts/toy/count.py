"""A toy format: a text file with the number of frames, and who made them."""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.exports.piece import Piece
from talkcli.engine.files import atomic_path


def write(out: Path, piece: Piece) -> None:
    """Write the count."""
    with atomic_path(out) as temporary:
        temporary.write_text(f"{piece.motion.num_frames} frames by {piece.meta['method']}\n")
