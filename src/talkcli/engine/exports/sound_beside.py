"""The sound of a format that holds none: a wav file beside it, with the same name."""

from __future__ import annotations

from pathlib import Path

import soundfile

from talkcli.engine.audio.io import write_wav
from talkcli.engine.exports.piece import Piece

_OURS = "talk"


def write_sound_beside(out: Path, piece: Piece) -> str | None:
    """Write the speech of `piece` beside `out`, and return the name of the file; None without speech.

    A file there that talk did not write stays as it is, with a warning unless the speech comes from it.
    """
    if piece.speech is None:
        return None
    path = out.with_suffix(".wav")
    if path.exists() and not _is_ours(path):
        if piece.sound_file is None or not piece.sound_file.exists() or not path.samefile(piece.sound_file):
            piece.reporter.warn(
                f"{path} is a file of yours and stays: the sound of {out.name} is not written."
            )
        return path.name
    write_wav(path, piece.speech, software=_OURS)
    return path.name


def _is_ours(path: Path) -> bool:
    """Return whether `path` is a sound that talk wrote."""
    try:
        with soundfile.SoundFile(path) as file:
            return str(file.software).startswith(_OURS)
    except (OSError, RuntimeError):
        return False
