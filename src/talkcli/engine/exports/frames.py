"""Export to a folder of PNG frames."""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.exports.drawing import drawn
from talkcli.engine.exports.piece import Piece
from talkcli.engine.render.frames import check_folder, write_frames
from talkcli.engine.render.shot import Shot


def check(out: Path, shot: Shot, overwrite: bool) -> None:  # noqa: ARG001  any picture can be written
    """Raise UsageError when the folder `out` is not empty, unless `overwrite` lets its frames be replaced."""
    check_folder(out, overwrite=overwrite)


def write(out: Path, piece: Piece) -> None:
    """Draw the piece into the folder `out`, one file per frame."""
    with drawn(piece) as frames:
        write_frames(
            out,
            frames,
            num_frames=piece.motion.num_frames,
            metadata=dict(piece.meta),
            overwrite=piece.overwrite,
            reporter=piece.reporter,
        )
