"""Drawing of a piece, for formats that show pictures. Axis names: `height`, `width`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.formats import format_of
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.render.apart import DrawingProcess, View
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import VIEWS, studio_scene
from talkcli.engine.types import Motion

# What a process of its own can draw: it loads no torch.
_HEAD, _RENDERER = "ada", "software"


def check_view(view: str) -> None:
    """Raise UsageError when `view` is not a name of `VIEWS`."""
    if view not in VIEWS:
        raise UsageError(f"There is no view {view}.", hint=f"Views: {', '.join(VIEWS)}.")


@contextlib.contextmanager
def drawing_apart(
    outs: Sequence[Path], *, head_name: str | None, size: int, renderer: str
) -> Iterator[DrawingProcess | None]:
    """Start the process that will draw, while this one has yet to load what makes the motion.

    Yields None where nothing is drawn, or nothing that it could draw. Raises UsageError for an output of no
    format.
    """
    head = head_name or _HEAD
    if renderer != _RENDERER or head != _HEAD or not any(format_of(out).drawn for out in outs):
        yield None
        return
    try:
        process = DrawingProcess(View(head=head, view="front", size=size))
    except OSError:
        # No further process may start here, or none with pipes: this one draws.
        yield None
        return
    with process:
        yield process


@contextlib.contextmanager
def drawn(piece: Piece) -> Iterator[Iterator[np.ndarray]]:
    """Open an iterator over the pictures (height width 3) of `piece`, sRGB from 0 to 255, and close it at the
    end.

    The iterator draws one picture per frame of the motion. Raises UsageError for an unknown view, and what
    `Piece.surface`, `studio_scene` and `open_renderer` raise.
    """
    check_view(piece.view)
    surface = piece.surface()
    if piece.speech is not None and abs(piece.speech.duration_s - piece.motion.duration_s) > 1 / surface.fps:
        piece.reporter.note(
            f"The sound lasts {piece.speech.duration_s:.2f} s, the motion {piece.motion.duration_s:.2f} s: "
            "the output lasts as long as the motion."
        )
    head, motion = surface.topology, surface.motion
    if piece.drawer and piece.renderer == _RENDERER and isinstance(head, AdaHead):
        assert isinstance(motion, Motion)
        view = View(head=head.name, view=piece.view, size=piece.size)
        with contextlib.closing(piece.drawer.pictures(motion, view)) as frames:
            yield frames
        return
    scene = studio_scene(surface.topology, yaw_deg=VIEWS[piece.view])
    with (
        contextlib.closing(open_renderer(piece.renderer, scene, piece.size, piece.size)) as drawer,
        contextlib.closing(pictures(surface, drawer)) as frames,
    ):
        yield frames
