"""Export to a video: H.264 and AAC in an mp4 file."""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.drawing import drawn
from talkcli.engine.exports.piece import Piece
from talkcli.engine.files import check_file
from talkcli.engine.render.background import TRANSPARENT
from talkcli.engine.render.shot import Shot
from talkcli.engine.render.video import check_size, write_video


def check(out: Path, shot: Shot, overwrite: bool) -> None:  # noqa: ARG001  a video is one file
    """Raise InputError when `out` cannot be a file, and UsageError for pictures that H.264 cannot encode."""
    check_file(out)
    check_size(*shot.size)
    if shot.background == TRANSPARENT:
        raise UsageError(
            "`background=transparent`: a video in H.264 has no transparency.",
            hint="Write PNG frames: give `out` the name of a folder.",
        )


def write(out: Path, piece: Piece) -> None:
    """Draw the piece into the video `out`, with its speech as the sound."""
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
        )
