"""Drawing of a piece, for formats that show pictures. Axis names: `height`, `width`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from talkcli.engine.exports.piece import Piece
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.setting import scene_of


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
    scene = scene_of(surface.topology, piece.shot)
    with (
        contextlib.closing(open_renderer(piece.renderer, scene, *piece.shot.size)) as drawer,
        contextlib.closing(pictures(surface, drawer)) as frames,
    ):
        yield frames
