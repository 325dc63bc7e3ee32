"""Motion to a video or to a folder of pictures."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import UsageError
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.face.surface import Surface, surface_of
from talkcli.engine.files import check_file, sha256
from talkcli.engine.render.frames import check_folder, write_frames
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import VIEWS, studio_scene
from talkcli.engine.render.video import check_size, write_video
from talkcli.engine.types import Reporter, Speech
from talkcli.engine.version import __version__
from talkcli.engine.wording import parameter

VIDEO_SUFFIX = ".mp4"


def check_output(
    out: Path, *, size: int, overwrite: bool = False, suffixes: Sequence[str] = (VIDEO_SUFFIX,)
) -> None:
    """Raise UsageError or InputError for an `out` that the command does not write, before any work is done.

    `suffixes` are those that it writes, in either case, besides folders of frames.
    """
    if str(out) == "-":
        raise UsageError(
            "`out=-`: pictures and motion are not written to stdout.",
            hint="Give the name of a file.",
        )
    suffix = out.suffix.lower()
    if suffix in suffixes:
        check_file(out)
        if suffix == VIDEO_SUFFIX:
            check_size(size, size)
    elif suffix and not out.is_dir():
        raise UsageError(
            f"{parameter('out', out)}: {out.suffix} files cannot be written.",
            hint=f"Use a name that ends in {' or '.join(suffixes)}, or a folder for PNG frames.",
        )
    else:
        check_folder(out, overwrite=overwrite)


def tell_folders(outs: Sequence[Path], reporter: Reporter) -> None:
    """Say which of `outs` become folders: a bare name may have been meant for a video."""
    for out in outs:
        if not out.suffix and not out.exists():
            reporter.note(f"{out} becomes a folder of PNG frames; a video's name ends in {VIDEO_SUFFIX}.")


def check_distinct(outs: Sequence[Path], inputs: Sequence[Path | None]) -> None:
    """Raise UsageError where an output is named twice, or would replace one of `inputs` that is a file."""
    # realpath: Path.resolve() refuses links that go in circles, in words of its own.
    read = {os.path.realpath(path) for path in inputs if path and path.is_file()}
    seen: set[str] = set()
    for out in outs:
        real = os.path.realpath(out)
        if real in read:
            raise UsageError(
                f"{parameter('out', out)} is also read; it would be replaced.", hint="Give another `out`."
            )
        if real in seen:
            raise UsageError(f"{parameter('out', out)} is given twice.")
        seen.add(real)


def check_view(view: str) -> None:
    """Raise UsageError for a `view` that is none of `VIEWS`."""
    if view not in VIEWS:
        raise UsageError(f"There is no view {view}.", hint=f"Views: {', '.join(VIEWS)}.")


def render_to(
    surface: Surface,
    out: Path,
    *,
    speech: Speech | None,
    size: int,
    renderer: str,
    metadata: dict[str, Any],
    reporter: Reporter,
    view: str = "front",
    overwrite: bool = False,
) -> None:
    """Draw `surface` into `out`: an .mp4 with `speech` as its sound, else a folder of PNG frames.

    Pictures are `size` pixels wide and high; `renderer` is a name in `RENDERERS`, `view` one in `VIEWS`;
    `metadata` is stored in the output. Raises UsageError, InputError or TalkError, and then leaves no partial
    output.
    """
    check_output(out, size=size, overwrite=overwrite)
    check_view(view)
    if speech is not None and abs(speech.duration_s - surface.motion.duration_s) > 1 / surface.fps:
        reporter.note(
            f"The sound lasts {speech.duration_s:.2f} s, the motion {surface.motion.duration_s:.2f} s: "
            "the output lasts as long as the motion."
        )
    num_frames = surface.num_frames
    scene = studio_scene(surface.topology, yaw_deg=VIEWS[view])
    with (
        contextlib.closing(open_renderer(renderer, scene, size, size)) as drawer,
        contextlib.closing(pictures(surface, drawer)) as frames,
    ):
        if out.suffix.lower() == VIDEO_SUFFIX:
            write_video(
                out,
                frames,
                num_frames=num_frames,
                fps=surface.fps,
                size=(size, size),
                speech=speech,
                metadata=metadata,
                reporter=reporter,
            )
        else:
            write_frames(
                out, frames, num_frames=num_frames, metadata=metadata, overwrite=overwrite, reporter=reporter
            )


def render_motion_file(
    path: Path,
    out: Path,
    *,
    audio: Path | None,
    head_name: str | None,
    size: int,
    fps: float | None,
    view: str,
    renderer: str,
    overwrite: bool,
    reporter: Reporter,
) -> dict[str, Any]:
    """Draw a motion file; `head_name` and `fps` are the motion's own when None.

    Returns what was done, ready for JSON. Raises TalkError classes for any unusable input before anything is
    written.
    """
    check_output(out, size=size, overwrite=overwrite)
    check_distinct([out], [path, audio])
    tell_folders([out], reporter)
    motion, meta = read_any_motion(path)
    speech = read_speech(audio, reporter) if audio else None
    surface = surface_of(motion if fps is None else resample(motion, fps), head_name, turned=True)
    metadata = {
        "command": "render",
        "talk": __version__,
        "motion_sha256": sha256(path),
        "audio_sha256": sha256(audio) if audio else None,
        "motion": meta,
    }
    if speech is not None and out.suffix.lower() != VIDEO_SUFFIX:
        reporter.warn("A folder of frames holds no sound: `audio` is not used.")
    render_to(
        surface,
        out,
        speech=speech,
        size=size,
        renderer=renderer,
        metadata=metadata,
        reporter=reporter,
        view=view,
        overwrite=overwrite,
    )
    return {
        "outputs": [str(out)],
        "frames": surface.num_frames,
        "fps": surface.fps,
        "duration_s": surface.motion.duration_s,
        "size": size,
        "head": surface.topology.name,
        "view": view,
        "renderer": renderer,
        **metadata,
    }
