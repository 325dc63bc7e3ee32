"""Export to a film: .mp4, .webm, .mov or .gif (`render/containers.py`)."""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.exports.drawing import drawn
from talkcli.engine.exports.piece import Piece
from talkcli.engine.files import check_file
from talkcli.engine.render.background import TRANSPARENT
from talkcli.engine.render.containers import check_alpha, check_size
from talkcli.engine.render.shot import Shot
from talkcli.engine.render.video import write_video


def check(out: Path, shot: Shot, overwrite: bool) -> None:  # noqa: ARG001  a video is one file
    """Raise InputError when `out` cannot be a file, and UsageError for pictures that its codec cannot
    encode.
    """
    check_file(out)
    check_size(out.suffix.lower(), *shot.size)
    if shot.background == TRANSPARENT:
        check_alpha(out.suffix.lower())


def write(out: Path, piece: Piece) -> None:
    """Draw the piece into the film `out`, with its speech as the sound where the container has sound."""
    with drawn(piece) as frames:
        write_video(
            out,
            frames,
            num_frames=piece.motion.num_frames,
            fps=piece.motion.fps,
            size=piece.shot.size,
            speech=piece.speech,
            metadata=dict(piece.meta),
            reporter=piece.reporter,
            alpha=piece.shot.background == TRANSPARENT,
        )
