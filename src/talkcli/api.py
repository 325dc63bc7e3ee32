"""The Python interface: `import talkcli as talk`. `talkcli/__init__.py` exports its names.

Axis names: `frames`, `verts`, `height`, `width`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.drawing import drawn
from talkcli.engine.exports.formats import check_output, export
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.arkit import arkit_curves
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.face.motion_file import write_motion as write_motion_file
from talkcli.engine.face.resample import resample
from talkcli.engine.face.surface import surface_of, topology_of
from talkcli.engine.types import AnyMotion, Motion
from talkcli.engine.version import __version__
from talkcli.talker import Sound, Talker, Warnings, animate, as_speech, load

__all__ = [
    "Talker", "animate", "as_speech", "curves", "frames", "load", "read_motion", "render", "score",
    "vertices", "write_motion",
]  # fmt: skip


def render(
    motion: AnyMotion,
    out: str | Path,
    *,
    speech: Sound | None = None,
    rate_hz: int | None = None,
    head: str | None = None,
    size: int = 512,
    fps: float | None = None,
    view: str = "front",
    renderer: str = "software",
    overwrite: bool = False,
) -> Path:
    """Draw a motion into a video or a folder of pictures, and give its path.

    Args:
        out: a name that ends in .mp4, else a folder for PNG frames.
        speech: the sound of the video, as for `Talker.takes`.
        head: a name or a FLAME file; None for the motion's own.
        size: side of the picture in pixels.
        fps: frames per second; None for the motion's own.
        overwrite: replace the frames in a folder.

    Raises:
        TalkError: for what cannot be drawn or written; then nothing was.
    """
    told = Warnings()
    target = Path(out)
    sound = None if speech is None else as_speech(speech, rate_hz=rate_hz, reporter=told)
    piece = Piece(
        motion=motion if fps is None else resample(motion, fps),
        meta={"command": "render", "talk": __version__, "motion": dict(motion.meta)},
        reporter=told,
        topology=topology_of(motion, head),
        speech=sound,
        size=size,
        renderer=renderer,
        view=view,
        overwrite=overwrite,
    )
    check_output(target, size=size, overwrite=overwrite, drawn=True)
    export(target, piece)
    return target


def frames(
    motion: AnyMotion,
    *,
    head: str | None = None,
    size: int = 512,
    view: str = "front",
    renderer: str = "software",
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Draw a motion picture by picture: sRGB, 0 to 255; arguments as for `render`."""
    piece = Piece(
        motion=motion,
        meta={},
        reporter=Warnings(),
        topology=topology_of(motion, head),
        size=size,
        renderer=renderer,
        view=view,
    )
    with drawn(piece) as shown:
        yield from shown


def vertices(motion: AnyMotion, *, head: str | None = None) -> Float[np.ndarray, "frames verts 3"]:
    """Give the head's vertices over time, in metres, its pose left out."""
    return surface_of(motion, head).vertices()


def curves(motion: Motion) -> dict[str, Float[np.ndarray, "frames"]]:
    """Give ARKit's 52 curves, each from 0 to 1, of a motion of ada. Raises InputError for other heads."""
    return arkit_curves(motion.coeffs, motion.channels)


def read_motion(path: str | Path) -> AnyMotion:
    """Read a motion file (.npz) of coefficients or vertices, with its meta. Raises InputError for any other
    file.
    """
    motion, meta = read_any_motion(Path(path))
    return replace(motion, meta=meta)


def write_motion(path: str | Path, motion: AnyMotion, meta: Mapping[str, Any] | None = None) -> Path:
    """Write a motion file (.npz), whole or not at all.

    `meta` is anything that JSON holds; None for the motion's own.
    """
    target = Path(path)
    if target.suffix.lower() != ".npz":
        raise UsageError(f"{target}: the name of a motion file ends in .npz.")
    write_motion_file(target, motion, dict(motion.meta if meta is None else meta))
    return target


def score(
    predictions: str | Path | Sequence[str | Path],
    *,
    truth: str | Path | None = None,
    speech: str | Path | None = None,
    text: str | Path | None = None,
    head: str | None = None,
) -> dict[str, Any]:
    """Measure motion files as `talk score` does; the document that it prints with --json.

    Args:
        predictions: a motion file, a folder of them, or several.
        truth: the true motion, a file or a folder with the same names.
        speech: the sound, likewise; `text`: the words or phones, likewise.
        head: whose surface is measured; None for the motion's own.
    """
    from talkcli.engine.pipelines.score.generation import Generation
    from talkcli.engine.pipelines.score.motions import score_motions

    given = [predictions] if isinstance(predictions, str | Path) else list(predictions)
    return score_motions(
        [Path(path) for path in given],
        truth=None if truth is None else Path(truth),
        audio=None if speech is None else Path(speech),
        dataset=None,
        text=None if text is None else Path(text),
        head_name=head,
        generation=Generation(),
        thresholds=[],
        reporter=Warnings(),
    )
