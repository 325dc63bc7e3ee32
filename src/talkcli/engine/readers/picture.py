"""Reader of picture files, PNG and JPEG, for a rectangle that the picture covers.

Axis names: `height`, `width`.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from talkcli.engine.errors import InputError
from talkcli.engine.readers.regular import open_file

_FORMATS = ("PNG", "JPEG")
_LARGEST_BYTES = 1 << 26
# Cameras of phones make 50 million; a pixel takes up to 8 bytes here.
_MOST_PIXELS = 1 << 26
# 16-bit grey.
_DEEP = ("I", "I;16", "I;16B", "I;16L")
_HINT = "Give a whole .png or .jpg file."


def read_picture(path: Path, width: int, height: int) -> UInt8[np.ndarray, "height width 3"]:
    """Return sRGB of the picture in `path`, scaled to cover `width` x `height` pixels and cut to its middle.

    It is turned as its EXIF data says; what is transparent is black. Raises InputError for a file that is no
    whole PNG or JPEG, and for one of more than 64 MB or 67 million pixels, before these are decoded.
    """
    try:
        with open_file(path) as file, warnings.catch_warnings():
            # Pillow warns of large pictures, and of what it skips in damaged ones.
            warnings.simplefilter("ignore")
            bytes_ = path.stat().st_size
            if bytes_ > _LARGEST_BYTES:
                raise InputError(f"{path} has {bytes_} bytes, more than any picture.", hint=_HINT)
            with Image.open(file, formats=_FORMATS) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    raise InputError(
                        f"{path} has {picture.width} x {picture.height} pixels, {_MOST_PIXELS} at most are "
                        "read.",
                        hint="Scale it down.",
                    )
                picture.draft("RGB", (width, height))
                turned = ImageOps.exif_transpose(picture)
                fitted = ImageOps.fit(_opaque(turned), (width, height), Image.Resampling.LANCZOS)
                return np.array(fitted)
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is neither a PNG nor a JPEG picture.", hint=_HINT) from error
    except (
        Image.DecompressionBombError, ArithmeticError, AttributeError, EOFError, LookupError, MemoryError,
        NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error,
        zlib.error,
    ) as error:  # fmt: skip
        # These are the exceptions that Pillow raises for a damaged file.
        raise InputError(f"{path} is no readable picture ({error}).", hint=_HINT) from error


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode in _DEEP:
        # Pillow's own conversion would clip all that is brighter than 255 of 65535.
        return Image.fromarray(
            (np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        ).convert("RGB")
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, (0, 0, 0, 255)), seen).convert("RGB")
    return picture.convert("RGB")
