"""Export to a contact sheet: a PNG file with frames of the motion and their times.

Axis names: `height`, `width`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.drawing import drawn
from talkcli.engine.exports.moments import at_moments, moments
from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.png_file import check_name, write_png
from talkcli.engine.render.shot import LEAST_SIDE, Shot, Size

# Frames on a sheet, and how many stand side by side.
_NUM_FRAMES, _ACROSS = 12, 4
# Longest side of a frame on the sheet, in pixels: 12 frames of 512 pixels are a picture of 2048x1536.
_LONGEST_SIDE = 512
# Behind and in the letters of a time, sRGB and coverage.
_LABEL, _LETTERS = (14, 15, 18, 255), (235, 230, 220, 255)


def check(out: Path, shot: Shot, overwrite: bool) -> None:  # noqa: ARG001  a sheet is one file
    """Raise UsageError unless `out` is a .png file, and for a picture that is too narrow to be made smaller.

    Raises InputError when `out` cannot be a file.
    """
    check_name(out, "contact_sheet")
    if min(_fitting(shot.size)) < LEAST_SIDE:
        raise UsageError(
            f"`size={shot.size}`: on a contact sheet, such pictures would have less than {LEAST_SIDE} pixels "
            "a side.",
            hint="Choose a `size` that is less narrow.",
        )


def write(out: Path, piece: Piece) -> None:
    """Draw frames of the piece, from equal parts of it, onto the sheet `out`."""
    motion = piece.motion
    chosen = moments(motion, _NUM_FRAMES)
    size = _fitting(piece.shot.size)
    few = replace(piece, motion=at_moments(motion, chosen), speech=None, shot=replace(piece.shot, size=size))
    rows = -(-len(chosen) // _ACROSS)
    sheet = Image.new("RGBA", (min(_ACROSS, len(chosen)) * size.width, rows * size.height))
    with drawn(few) as pictures:
        for place, (frame, picture) in enumerate(zip(chosen.tolist(), pictures, strict=True)):
            at = (place % _ACROSS * size.width, place // _ACROSS * size.height)
            sheet.paste(_labelled(picture, f"{frame / motion.fps:.2f} s"), at)
            piece.reporter.progress("contact sheet", place + 1, len(chosen))
    # Without a transparent background the sheet has no alpha; places without a frame are black.
    is_opaque = picture.shape[-1] == 3
    write_png(out, sheet.convert("RGB") if is_opaque else sheet, piece.meta)


def _fitting(size: Size) -> Size:
    """Return `size`, made smaller until its longest side fits."""
    share = min(1.0, _LONGEST_SIDE / max(size))
    return Size(round(size.width * share), round(size.height * share))


def _labelled(picture: np.ndarray, label: str) -> Image.Image:
    image = Image.fromarray(picture).convert("RGBA")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(10, min(image.size) // 20))
    left, top, right, bottom = draw.textbbox((6, 3), label, font=font)
    draw.rectangle((0, 0, right + left, bottom + top), fill=_LABEL)
    draw.text((6, 3), label, fill=_LETTERS, font=font)
    return image
