"""The formats by the suffix of the output's name, as strings only, so that checking a name imports no writer.

To add a format, write its file beside this one and add its row: `talk animate`, `talk render` and the Python
interface find it by the suffix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.piece import Piece
from talkcli.engine.files import check_file, real_path
from talkcli.engine.methods import resolve
from talkcli.engine.types import Reporter
from talkcli.engine.wording import parameter


@dataclass(frozen=True, kw_only=True)
class Format:
    """One row. Places are written `module:function`."""

    write: str
    """The function that writes: `write(out, piece)`. It leaves the whole output or nothing."""
    check: str | None = None
    """The function that refuses an output before any work: `check(out, size, overwrite)`; None: any file
    name.
    """
    drawn: bool = False
    """Whether the format shows pictures, for which it needs a head."""
    sound: bool = False
    """Whether the format holds the speech."""


_EXPORTS = "talkcli.engine.exports"
MOTION, VIDEO, FRAMES = ".npz", ".mp4", "folder"

# By suffix in lower case; `FRAMES` stands for a name without a suffix, and for a folder that exists.
FORMATS: dict[str, Format] = {
    MOTION: Format(write=f"{_EXPORTS}.motion:write"),
    VIDEO: Format(write=f"{_EXPORTS}.video:write", check=f"{_EXPORTS}.video:check", drawn=True, sound=True),
    FRAMES: Format(write=f"{_EXPORTS}.frames:write", check=f"{_EXPORTS}.frames:check", drawn=True),
}


def format_of(out: Path, *, drawn: bool = False) -> Format:
    """Find the format of `out`; with `drawn`, among those that show pictures.

    Raises UsageError for a suffix of no such format.
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


def check_output(out: Path, *, size: int, overwrite: bool = False, drawn: bool = False) -> None:
    """Raise UsageError or InputError for an `out` that cannot be written, before any work is done.

    Args:
        size: side of the picture in pixels.
        drawn: as for `format_of`.
    """
    if str(out) == "-":
        raise UsageError(
            "`out=-`: pictures and motion are not written to stdout.",
            hint="Give the name of a file.",
        )
    row = format_of(out, drawn=drawn)
    if row.check is None:
        check_file(out)
    else:
        resolve(row.check)(out, size, overwrite)


def check_distinct(outs: Sequence[Path], inputs: Sequence[Path | None]) -> None:
    """Raise UsageError where an output is named twice, or would replace one of `inputs` that is a file."""
    read = {real_path(path) for path in inputs if path and path.is_file()}
    seen: set[Path] = set()
    for out in outs:
        real = real_path(out)
        if real in read:
            raise UsageError(
                f"{parameter('out', out)} is also read; it would be replaced.", hint="Give another `out`."
            )
        if real in seen:
            raise UsageError(f"{parameter('out', out)} is given twice.")
        seen.add(real)


def note_folders(outs: Sequence[Path], reporter: Reporter) -> None:
    """Note which of `outs` become folders: the user may have meant a video."""
    for out in outs:
        if not out.suffix and not out.exists():
            reporter.note(f"{out} becomes a folder of PNG frames; a video's name ends in {VIDEO}.")


def export(out: Path, piece: Piece) -> None:
    """Write `piece` to `out` in the format of its name.

    Raises UsageError, InputError or TalkError, and then leaves no partial output.
    """
    check_output(out, size=piece.size, overwrite=piece.overwrite)
    resolve(format_of(out).write)(out, piece)
