"""What is seen of a piece, and how: size of the picture, look, background and camera."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from talkcli.engine.errors import UsageError
from talkcli.engine.render.background import check_background
from talkcli.engine.render.framing import CAMERAS, MOST_ZOOM
from talkcli.engine.render.studio import LOOKS, VIEWS
from talkcli.engine.wording import parameter

LEAST_SIDE, MOST_SIDE = 64, 4096
_SIZE = re.compile(r"([0-9]{1,9})(?:x([0-9]{1,9}))?", re.IGNORECASE)


class Size(NamedTuple):
    """Width and height of a picture in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


_USUAL = Size(512, 512)


@dataclass(frozen=True, kw_only=True)
class Shot:
    """Everything that describes the picture, in values that another process can be told.

    Raises UsageError for a look, a camera or a view that there is not, and for a zoom out of bounds.
    """

    size: Size = _USUAL
    """Size of the picture."""
    look: str = "skin"
    """Key of `LOOKS`."""
    background: str | None = None
    """What lies behind the head, as `with_background` takes it; None for the wall of the studio."""
    camera: str = "portrait"
    """Key of `CAMERAS`: which part of the head is seen."""
    view: str = "front"
    """Key of `VIEWS`: from which side."""
    zoom: float = 1.0
    """How many times as large things are, from 1 to `MOST_ZOOM`."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("look", self.look, LOOKS),
            ("camera", self.camera, CAMERAS),
            ("view", self.view, VIEWS),
        ):
            _check_name(name, value, known)
        if not 1 <= self.zoom <= MOST_ZOOM:
            raise UsageError(f"{parameter('zoom', self.zoom)} is no number from 1 to {MOST_ZOOM:g}.")


def shot_of(
    *,
    size: object = 512,
    look: str = "skin",
    background: str | Path | None = None,
    camera: str = "portrait",
    view: str = "front",
    zoom: float = 1.0,
) -> Shot:
    """Return the shot that somebody describes.

    Args:
        size: Anything that `size_of` takes.
        look: Key of `LOOKS`.
        background: Colour, picture file or "transparent"; None for the wall of the studio.
        camera: Key of `CAMERAS`.
        view: Key of `VIEWS`.
        zoom: From 1 to `MOST_ZOOM`.

    Raises:
        UsageError: For a value that cannot be.
        InputError: For a picture that cannot be read.
    """
    behind = None if background is None else str(background)
    check_background(behind)
    return Shot(size=size_of(size), look=look, background=behind, camera=camera, view=view, zoom=float(zoom))


def size_of(given: object) -> Size:
    """Return the size that is meant by `given`: 512, "512", "1080x1920", (1080, 1920) or a `Size`.

    A single number is the side of a square. Raises UsageError for anything else, and for sides out of bounds.
    """
    text = "x".join(map(str, given)) if isinstance(given, tuple | list) else str(given)
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"{parameter('size', text)} is no size of a picture.",
            hint="Give one number of pixels for a square, or width and height: `size=1080x1920`.",
        )
    width = int(found[1])
    size = Size(width, width if found[2] is None else int(found[2]))
    if not all(LEAST_SIDE <= side <= MOST_SIDE for side in size):
        raise UsageError(
            f"{parameter('size', text)} is out of bounds: pictures have {LEAST_SIDE} to {MOST_SIDE} pixels "
            "a side."
        )
    return size


def _check_name(name: str, value: str, known: Iterable[str]) -> None:
    names = list(known)
    if value not in names:
        near = difflib.get_close_matches(str(value).lower(), names, n=1)
        choices = f"There is {', '.join(names)}."
        raise UsageError(
            f"{parameter(name, value)} is unknown.",
            hint=f"Did you mean {near[0]}? {choices}" if near else choices,
        )
