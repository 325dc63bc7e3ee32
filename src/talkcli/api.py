"""The Python interface: `import talkcli as talk`. `talkcli/__init__.py` exports its names.

Axis names: `frames`, `verts`, `height`, `width`, `channels` = 3 or 4.
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
from talkcli.engine.face.surface import surface_of
from talkcli.engine.face.template import mesh_of, read_template
from talkcli.engine.render.shot import shot_of
from talkcli.engine.types import AnyMotion, Motion
from talkcli.engine.version import __version__
from talkcli.talker import Sound, Talker, Warnings, animate, as_speech, files_of, load

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
    template: str | Path | Sequence[str | Path] | None = None,
    look: str = "skin",
    size: int | str | tuple[int, int] = 512,
    background: str | Path | None = None,
    camera: str = "portrait",
    view: str = "front",
    zoom: float = 1.0,
    fps: float | None = None,
    renderer: str = "software",
    overwrite: bool = False,
) -> Path:
    """Draw a motion into a video or a folder of pictures, and return its path.

    Args:
        motion: Motion to draw.
        out: Name that ends in .mp4, .webm, .mov or .gif, else a folder for PNG frames.
        speech: Sound of the video, as for `Talker.takes`.
        rate_hz: Sampling rate of `speech` in Hz; needed for samples only.
        head: Head to draw: ada, abe, bust, flame or a head's file; None for the motion's own.
        template: Face with the triangles of vertices, as for `load`; None for those of head or motion.
        look: Look of the head: skin or clay.
        size: Pixels of a side of a square, or width and height: (1080, 1920) or "1080x1920".
        background: Colour, picture file, or "transparent" (not for .mp4); None for a dark wall.
        camera: What the picture shows: portrait, close, mouth, eyes or bust.
        view: Side of the camera: front, three-quarter or profile.
        zoom: How many times as large things are, from 1 to 4.
        fps: Frame rate in frames per second; None for the motion's own.
        renderer: Renderer: software or pyrender.
        overwrite: Whether to replace the frames in a folder.

    Raises:
        TalkError: When the motion cannot be drawn or the output cannot be written; then no output is left.
    """
    told = Warnings()
    target = Path(out)
    shot = shot_of(size=size, look=look, background=background, camera=camera, view=view, zoom=zoom)
    check_output(target, shot=shot, overwrite=overwrite, drawn=True)
    sound = None if speech is None else as_speech(speech, rate_hz=rate_hz, reporter=told)
    piece = Piece(
        motion=motion if fps is None else resample(motion, fps),
        meta={"command": "render", "talk": __version__, "motion": dict(motion.meta)},
        reporter=told,
        topology=mesh_of(motion, head, read_template(files_of(template), None, told)),
        speech=sound,
        shot=shot,
        renderer=renderer,
        overwrite=overwrite,
    )
    export(target, piece)
    return target


def frames(
    motion: AnyMotion,
    *,
    head: str | None = None,
    template: str | Path | Sequence[str | Path] | None = None,
    look: str = "skin",
    size: int | str | tuple[int, int] = 512,
    background: str | Path | None = None,
    camera: str = "portrait",
    view: str = "front",
    zoom: float = 1.0,
    renderer: str = "software",
) -> Iterator[UInt8[np.ndarray, "height width channels"]]:
    """Draw a motion picture by picture: sRGB, 0 to 255, and alpha with a transparent background.

    The arguments are those of `render`.
    """
    told = Warnings()
    piece = Piece(
        motion=motion,
        meta={},
        reporter=told,
        topology=mesh_of(motion, head, read_template(files_of(template), None, told)),
        shot=shot_of(size=size, look=look, background=background, camera=camera, view=view, zoom=zoom),
        renderer=renderer,
    )
    with drawn(piece) as shown:
        yield from shown


def vertices(motion: AnyMotion, *, head: str | None = None) -> Float[np.ndarray, "frames verts 3"]:
    """Return the vertices of the motion's head over time in metres, without its pose; `head` is as for
    `render`.
    """
    return surface_of(motion, head).vertices()


def curves(motion: Motion) -> dict[str, Float[np.ndarray, "frames"]]:
    """Return ARKit's 52 curves of a motion of ada, each from 0 to 1. Raises InputError for other heads."""
    return arkit_curves(motion.coeffs, motion.channels)


def read_motion(path: str | Path) -> AnyMotion:
    """Read a motion file (.npz) of coefficients or vertices, with its meta. Raises InputError for other
    files.
    """
    motion, meta = read_any_motion(Path(path))
    return replace(motion, meta=meta)


def write_motion(path: str | Path, motion: AnyMotion, meta: Mapping[str, Any] | None = None) -> Path:
    """Write a motion file (.npz), whole or not at all, and return its path.

    Args:
        path: File to write; its name ends in .npz.
        motion: Motion to write.
        meta: Anything that JSON can hold; None for the motion's own meta.

    Raises:
        UsageError: When the name does not end in .npz.
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
    """Measure motion files as `talk score` does, and return the document that its --json prints.

    Args:
        predictions: Motion file, folder of motion files, or a list of these.
        truth: True motion: a file, or a folder of files with the same names.
        speech: Sound: likewise.
        text: Words or phones: likewise.
        head: Head whose surface is measured; None for the motion's own.

    Raises:
        TalkError: For unusable input.
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
