"""Export of a motion file to any format of `exports/formats.py`: pictures, curves, visemes, meshes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import UsageError
from talkcli.engine.exports.formats import (
    check_distinct,
    check_motion,
    check_output,
    check_space,
    export,
    format_of,
    needs_head,
    note_folders,
)
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.heads import head_file, load_head, tell_head
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.face.surface import check_fits
from talkcli.engine.face.template import mesh_of, read_template, template_files
from talkcli.engine.files import sha256
from talkcli.engine.origin import carried
from talkcli.engine.render.background import background_file
from talkcli.engine.render.framing import check_camera
from talkcli.engine.render.renderers import check_renderer
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Alignment, Motion, Reporter, Speech
from talkcli.engine.version import __version__


def export_motion_file(
    path: Path,
    outs: Sequence[Path],
    *,
    sound: Path | None,
    head_name: str | None,
    shot: Shot,
    fps: float | None,
    renderer: str,
    overwrite: bool,
    reporter: Reporter,
    text: str | None = None,
    template: Sequence[str] = (),
    topology: str | None = None,
    drawn: bool = False,
) -> dict[str, Any]:
    """Write a motion file in other formats.

    Args:
        path: Motion file.
        outs: Files and folders of any format in `FORMATS`.
        sound: Sound of the motion; None for silent films.
        head_name: Head to draw or to lay the vertices on: a name or a head's file; None for the motion's own.
        shot: What pictures show, and how.
        fps: Frame rate of the outputs in frames per second; None for the motion's own.
        renderer: Name of the renderer.
        overwrite: Whether to replace the frames in a folder.
        text: Words or phones of the sound, as `read_words` takes them, for tracks of visemes; None for the
            phones in the motion file.
        template: Files of a face with the triangles of vertices, as `read_template` takes them.
        topology: What the template is numbered after; None for the motion's topology.
        drawn: Accept only formats that show pictures, as `talk render` does.

    Returns:
        The outputs with all settings, ready for JSON.

    Raises:
        TalkError: For unusable input, before anything is written.
    """
    for out in outs:
        check_output(out, shot=shot, overwrite=overwrite, drawn=drawn)
    head, words = head_file(head_name) if head_name else None, _words_file(text)
    inputs = [path, sound, head, words, background_file(shot.background), *template_files(template)]
    check_distinct(outs, inputs, speech=sound)
    check_renderer(renderer)
    if text is not None and sound is None:
        raise UsageError("`text` are the words of a sound, but there is none.", hint="Add `speech`.")
    note_folders(outs, reporter)
    motion, meta = read_any_motion(path)
    check_space(outs, motion.space)
    pictures = any(format_of(out).drawn for out in outs)
    speech = read_speech(sound, reporter) if sound else None
    at_rest = read_template(template, topology, reporter)
    mesh = None
    if needs_head(outs):
        mesh = mesh_of(motion, head_name, at_rest)
        check_fits(motion, mesh)
        tell_head(mesh, reporter)
        if pictures:
            check_camera(mesh, shot.camera)
    elif head_name is not None:
        load_head(head_name)
    check_motion(outs, motion.space, fps or motion.fps, mesh)
    heard = any(format_of(out).sound for out in outs)
    if text is not None and speech is not None:
        if isinstance(motion, Motion) and any(format_of(out).phones for out in outs):
            motion = replace(motion, alignment=_phones(text, speech, reporter))
            heard = True
        else:
            reporter.warn("The outputs hold no phones: `text` is not used.")
    if fps is not None:
        motion = resample(motion, fps)
    metadata = {
        **carried(meta),
        "command": "render" if drawn else "export",
        "talk": __version__,
        "motion_sha256": sha256(path),
        "audio_sha256": sha256(sound) if sound else None,
        "motion": meta,
    }
    if speech is not None and not heard:
        reporter.warn("The outputs hold no sound: that which was given is not used.")
    piece = Piece(
        motion=motion,
        meta=metadata,
        reporter=reporter,
        topology=mesh,
        speech=speech,
        sound_file=sound,
        shot=shot,
        renderer=renderer,
        overwrite=overwrite,
    )
    for out in outs:
        export(out, piece)
    return {
        "outputs": [str(out) for out in (*outs, *piece.beside)],
        "frames": motion.num_frames,
        "fps": motion.fps,
        "duration_s": motion.duration_s,
        **({**asdict(shot), "renderer": renderer} if pictures else {}),
        "head": mesh.name if mesh is not None else motion.space.name,
        **({"measured": piece.measured} if piece.measured else {}),
        **metadata,
    }


def _words_file(text: str | None) -> Path | None:
    """Return the file that `text` names, if it names one. Raises InputError where it is missing."""
    if text is None:
        return None
    # Not at the top, as in `_phones`.
    from talkcli.engine.performers.rules import words_file

    return words_file(text)


def _phones(text: str, speech: Speech, reporter: Reporter) -> Alignment | None:
    """Return the phones of `text` with their times in the sound; None when the aligner does not find them.

    Raises ExtraError when words must be aligned and the extra `align` is missing.
    """
    # Not at the top: drawing ada needs no torch, which performers load.
    from talkcli.engine.audio.align import Aligner
    from talkcli.engine.performers.rules import fitted, read_words

    words = read_words(text)
    if isinstance(words, Alignment):
        return fitted(words, speech.duration_s)
    found = Aligner().align(speech, words)
    if found.method == "energy":
        reporter.warn("The aligner did not find the words in the sound: visemes follow the mouth's shapes.")
        return None
    return found
