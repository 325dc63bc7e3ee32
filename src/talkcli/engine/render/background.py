"""What lies behind the head: the wall of the studio, one colour, a picture, or nothing.

Axis names: `height`, `width`.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path

import numpy as np

from talkcli.engine.errors import UsageError
from talkcli.engine.render.renderer import Scene
from talkcli.engine.wording import parameter

TRANSPARENT = "transparent"
_SUFFIXES = (".png", ".jpg", ".jpeg")


def check_background(given: str | None) -> None:
    """Raise what `with_background` raises, before any work."""
    path = background_file(given)
    if path is not None:
        _read(path, 1, 1)


def with_background(scene: Scene, given: str | None, width: int, height: int) -> Scene:
    """Return `scene` with something else behind the head.

    Args:
        scene: Scene whose background is replaced.
        given: Name of a CSS colour, #rrggbb, the name of a picture file, or `TRANSPARENT`; None for the wall
            that the scene has.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels; a picture file covers all of it.

    Raises:
        UsageError: For what is none of these.
        InputError: For a picture file that cannot be read.
    """
    if given is None:
        return scene
    if given == TRANSPARENT:
        return replace(scene, background=None)
    colour = _colour(given)
    if colour is not None:
        # As a picture: a colour alone is the tone of a wall that light falls on, and would not be even.
        even = linear(np.array(colour) / 255).astype(np.float32)
        return replace(scene, background=np.tile(even, (height, width, 1)))
    return replace(scene, background=linear(_read(_file(given), width, height) / np.float32(255)))


def background_file(given: str | None) -> Path | None:
    """Return the file that `with_background` reads; None where it needs none."""
    if given is None or given == TRANSPARENT or _colour(given) is not None:
        return None
    return _file(given)


def linear(srgb: np.ndarray) -> np.ndarray:
    """Return sRGB in [0, 1] to linear light in [0, 1] (IEC 61966-2-1), in the dtype of `srgb`."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(srgb.dtype)


def _read(path: Path, width: int, height: int) -> np.ndarray:
    # Not at the top: most pictures need no Pillow before the first frame.
    from talkcli.engine.readers.picture import read_picture

    return read_picture(path, width, height)


def _colour(given: str) -> tuple[int, int, int] | None:
    """Return sRGB bytes of a colour; None for what is none."""
    from PIL import ImageColor

    try:
        channels = ImageColor.getrgb(given)
    except ValueError:
        return None
    if len(channels) != 3 or max(channels) > 255:
        raise UsageError(
            f"{parameter('background', given)} is no opaque colour.",
            hint="Give #rrggbb, or `background=transparent`.",
        )
    return channels


def _file(given: str) -> Path:
    """Return the picture file that is meant. Raises UsageError for what is no name of one."""
    path = Path(given)
    if path.suffix.lower() in _SUFFIXES:
        return path
    from PIL import ImageColor

    near = difflib.get_close_matches(given.lower(), [*ImageColor.colormap, TRANSPARENT], n=1)
    ways = (
        "Give a colour (`background=white`, `background=#2a4d69`), a .png or .jpg file, or "
        "`background=transparent`."
    )
    raise UsageError(
        f"{parameter('background', given)} is neither a colour nor a picture.",
        hint=f"Did you mean {near[0]}? {ways}" if near else ways,
    )
