"""Drawing of a piece, for formats that show pictures. Axis names: `height`, `width`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from talkcli.engine.exports.formats import format_of
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.heads import GENERATED
from talkcli.engine.face.topology import Pictured
from talkcli.engine.render.apart import DrawingProcess, View
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.setting import scene_of
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Motion

# Renderer of a process that loads no torch; it draws the heads that talk generates.
_RENDERER = "software"


@contextlib.contextmanager
def drawing_apart(
    outs: Sequence[Path], *, head_name: str | None, shot: Shot, renderer: str, drawn: bool = False
) -> Iterator[DrawingProcess | None]:
    """Start the process that will draw, while this one has yet to load what makes the motion.

    Yields None where nothing is drawn, or nothing that it could draw; with `drawn`, pictures are needed
    beside those of `outs`. Raises UsageError for an output of no format.
    """
    head = head_name or GENERATED[0]
    drawn = any(format_of(out).drawn for out in outs) or drawn
    if renderer != _RENDERER or head not in GENERATED or not drawn:
        yield None
        return
    try:
        process = DrawingProcess(View(head, shot))
    except OSError:
        # No further process may start here, or none with pipes: this one draws.
        yield None
        return
    with process:
        yield process


@contextlib.contextmanager
def drawn(piece: Piece) -> Iterator[Iterator[np.ndarray]]:
    """Open an iterator over the pictures (height width 3) of `piece`, sRGB from 0 to 255, and close it at the
    end. With a transparent background they have alpha too (height width 4).

    The iterator draws one picture per frame of the motion. Raises what `Piece.surface`,
    `scene_of` and `open_renderer` raise.
    """
    surface = piece.surface()
    if piece.speech is not None and abs(piece.speech.duration_s - piece.motion.duration_s) > 1 / surface.fps:
        piece.reporter.note(
            f"The sound lasts {piece.speech.duration_s:.2f} s, the motion {piece.motion.duration_s:.2f} s: "
            "the output lasts as long as the motion."
        )
    head, motion = surface.topology, surface.motion
    if (
        piece.drawer
        and piece.renderer == _RENDERER
        and isinstance(head, AdaHead)
        and isinstance(motion, Motion)
    ):
        with contextlib.closing(piece.drawer.pictures(motion, View(head.name, piece.shot))) as frames:
            yield frames
        return
    scene = scene_of(head, piece.shot)
    if isinstance(head, Pictured):
        for note in head.notes:
            piece.reporter.warn(note)
    with (
        contextlib.closing(open_renderer(piece.renderer, scene, *piece.shot.size)) as drawer,
        contextlib.closing(pictures(surface, drawer)) as frames,
    ):
        yield frames
