"""The sound of a format that holds none: a wav file beside it, with the same name."""

from __future__ import annotations

from pathlib import Path

import soundfile

from talkcli.engine.audio.io import write_wav
from talkcli.engine.exports.piece import SOUND_BESIDE, Piece

_OURS = "talk"


def name_of_sound(out: Path, piece: Piece) -> str | None:
    """Return the name of the sound beside `out`; None without speech."""
    return None if piece.speech is None else out.with_suffix(SOUND_BESIDE).name


def write_sound_beside(out: Path, piece: Piece) -> None:
    """Write the speech of `piece`, if any, beside `out`, and add the file to `piece.beside`.

    The file that the speech comes from stays as it is, and so does one that talk did not write, with a
    warning.
    """
    if piece.speech is None:
        return
    path = out.with_suffix(SOUND_BESIDE)
    if path.exists():
        if piece.sound_file is not None and piece.sound_file.exists() and path.samefile(piece.sound_file):
            return
        if not _is_ours(path):
            piece.reporter.warn(
                f"{path} is a file of yours and stays: the sound of {out.name} is not written."
            )
            return
    write_wav(path, piece.speech, software=_OURS)
    if path not in piece.beside:
        piece.beside.append(path)


def _is_ours(path: Path) -> bool:
    """Return whether `path` is a sound that talk wrote."""
    try:
        with soundfile.SoundFile(path) as file:
            return str(file.software).startswith(_OURS)
    except (OSError, RuntimeError):
        return False
