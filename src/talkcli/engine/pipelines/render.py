"""Rendering of a motion file to a video or to a folder of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from talkcli.engine.audio.io import read_speech
from talkcli.engine.exports.formats import check_distinct, check_output, export, format_of, note_folders
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.heads import head_file
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.face.surface import check_fits
from talkcli.engine.face.template import mesh_of, read_template, template_files
from talkcli.engine.files import sha256
from talkcli.engine.render.background import background_file
from talkcli.engine.render.renderers import check_renderer
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__


def render_motion_file(
    path: Path,
    out: Path,
    *,
    audio: Path | None,
    head_name: str | None,
    shot: Shot,
    fps: float | None,
    renderer: str,
    overwrite: bool,
    reporter: Reporter,
    template: Sequence[str] = (),
    topology: str | None = None,
) -> dict[str, Any]:
    """Draw a motion file.

    Args:
        path: Motion file.
        out: Video or folder to write.
        audio: Sound of the video; None for a silent one.
        head_name: Head to draw: a name or a head's file; None for the motion's own.
        shot: What the pictures show, and how.
        fps: Frame rate of the output in frames per second; None for the motion's own.
        renderer: Name of the renderer.
        overwrite: Whether to replace the frames in a folder.
        reporter: Receiver of notes, warnings and progress.
        template: Files of a face with the triangles of vertices, as `read_template` takes them.
        topology: What the template is numbered after; None for the motion's topology.

    Returns:
        The output with all settings, ready for JSON.

    Raises:
        TalkError: For unusable input, before anything is written.
    """
    check_output(out, shot=shot, overwrite=overwrite, drawn=True)
    inputs = [head_file(head_name) if head_name else None, background_file(shot.background)]
    check_distinct([out], [path, audio, *inputs, *template_files(template)])
    check_renderer(renderer)
    note_folders([out], reporter)
    motion, meta = read_any_motion(path)
    speech = read_speech(audio, reporter) if audio else None
    mesh = mesh_of(motion, head_name, read_template(template, topology, reporter))
    check_fits(motion, mesh)
    if fps is not None:
        motion = resample(motion, fps)
    metadata = {
        "command": "render",
        "talk": __version__,
        "motion_sha256": sha256(path),
        "audio_sha256": sha256(audio) if audio else None,
        "motion": meta,
    }
    if speech is not None and not format_of(out).sound:
        reporter.warn("A folder of frames holds no sound: `audio` is not used.")
    piece = Piece(
        motion=motion,
        meta=metadata,
        reporter=reporter,
        topology=mesh,
        speech=speech,
        shot=shot,
        renderer=renderer,
        overwrite=overwrite,
    )
    export(out, piece)
    return {
        "outputs": [str(out)],
        "frames": motion.num_frames,
        "fps": motion.fps,
        "duration_s": motion.duration_s,
        **asdict(shot),
        "head": mesh.name,
        "renderer": renderer,
        **metadata,
    }
