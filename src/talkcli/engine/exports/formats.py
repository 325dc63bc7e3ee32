"""Catalogue of the output formats, by the suffix of the output's name.

To add a format, write its file beside this one and add its row here: `talk animate`, `talk render` and the
Python interface find it by the suffix. Rows hold strings only, so that checking a name imports no writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.piece import Piece
from talkcli.engine.files import check_file, real_path
from talkcli.engine.methods import resolve
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Reporter
from talkcli.engine.wording import parameter


@dataclass(frozen=True, kw_only=True)
class Format:
    """One row of the catalogue. Functions are written as `module:function`."""

    write: str
    """Function that writes a piece: `write(out, piece)`. It leaves the whole output or nothing."""
    check: str | None = None
    """Function that refuses an output before any work: `check(out, shot, overwrite)`. None accepts any file
    name."""
    drawn: bool = False
    """Whether the format shows pictures; it then needs a head or a mesh to draw."""
    sound: bool = False
    """Whether the format contains the speech."""


_EXPORTS = "talkcli.engine.exports"
# Keys of the formats below.
MOTION, VIDEO, FRAMES = ".npz", ".mp4", "folder"
# Name of the format that has no suffix.
_FRAMES_NAME = "frames"

# Formats by suffix in lower case. `FRAMES` stands for a name without a suffix, and for an existing folder.
FORMATS: dict[str, Format] = {
    MOTION: Format(write=f"{_EXPORTS}.motion:write"),
    VIDEO: Format(write=f"{_EXPORTS}.video:write", check=f"{_EXPORTS}.video:check", drawn=True, sound=True),
    FRAMES: Format(write=f"{_EXPORTS}.frames:write", check=f"{_EXPORTS}.frames:check", drawn=True),
}

# Pictures of a whole motion, which options of their own ask for, whatever the name of the file.
PLOT = Format(write=f"{_EXPORTS}.plot:write", check=f"{_EXPORTS}.plot:check", sound=True)
SHEET = Format(write=f"{_EXPORTS}.sheet:write", check=f"{_EXPORTS}.sheet:check", drawn=True)


def format_of(out: Path, *, drawn: bool = False) -> Format:
    """Return the format of `out`; with `drawn`, of the formats that show pictures only.

    Raises UsageError when no such format has the suffix of `out`.
    """
    known = {suffix: row for suffix, row in FORMATS.items() if row.drawn or not drawn}
    suffix = out.suffix.lower()
    if suffix in known:
        return known[suffix]
    if suffix and not out.is_dir():
        endings = " or ".join(name for name in known if name != FRAMES)
        raise UsageError(
            f"{parameter('out', out)}: {out.suffix} files cannot be written.",
            hint=f"Use a name that ends in {endings}, or a folder for PNG frames.",
        )
    return known[FRAMES]


def format_named(name: str) -> str:
    """Return what the name of an output in the format `name` ends in: a suffix, or nothing for a folder.

    Names are suffixes without their first dot, in any case, and `frames` for a folder of PNG frames. Raises
    UsageError for any other.
    """
    suffix = f".{name.strip().lower().removeprefix('.')}"
    if suffix in FORMATS:
        return suffix
    if suffix == f".{_FRAMES_NAME}":
        return ""
    known = [key.removeprefix(".") for key in FORMATS if key != FRAMES]
    raise UsageError(
        f"{parameter('format', name)} is unknown.", hint=f"There is {', '.join([*known, _FRAMES_NAME])}."
    )


def check_output(
    out: Path, row: Format | None = None, *, shot: Shot, overwrite: bool = False, drawn: bool = False
) -> None:
    """Raise UsageError or InputError when `out` cannot be written; the check comes before any work.

    Args:
        out: File or folder to write.
        row: Its format; None for that of its name.
        shot: What the pictures show, and how.
        overwrite: Whether to replace the frames in a folder.
        drawn: Accept only formats that show pictures.
    """
    if str(out) == "-":
        raise UsageError(
            "`out=-`: pictures and motion are not written to stdout.",
            hint="Give the name of a file.",
        )
    row = row or format_of(out, drawn=drawn)
    if row.check is None:
        check_file(out)
    else:
        resolve(row.check)(out, shot, overwrite)


def check_distinct(outs: Sequence[Path], inputs: Sequence[Path | None]) -> None:
    """Raise UsageError when an output is given twice, or would replace a file of `inputs`."""
    read = {real_path(path) for path in inputs if path and path.is_file()}
    seen: set[Path] = set()
    for out in outs:
        real = real_path(out)
        if real in read:
            raise UsageError(
                f"{parameter('out', out)} is also read, and writing would replace it.",
                hint="Give another `out`.",
            )
        if real in seen:
            raise UsageError(f"{parameter('out', out)} is given twice.")
        seen.add(real)


def note_folders(outs: Sequence[Path], reporter: Reporter) -> None:
    """Note which of `outs` become folders, since the user may have meant a video."""
    for out in outs:
        if not out.suffix and not out.exists():
            reporter.note(f"{out} becomes a folder of PNG frames; a video's name ends in {VIDEO}.")


def export(out: Path, piece: Piece, row: Format | None = None) -> None:
    """Write `piece` to `out` in the format `row`; None for that of its name.

    Raises UsageError, InputError or TalkError when it cannot; then no partial output is left.
    """
    row = row or format_of(out)
    check_output(out, row, shot=piece.shot, overwrite=piece.overwrite)
    resolve(row.write)(out, piece)
