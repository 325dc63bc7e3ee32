"""Animation: speech to motion by a trained model or by the rules, written to motion files and videos.

Memory grows only with the length of the speech: talk writes a performance before it draws the next one, and
computes vertices and pictures piece by piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from talkcli.engine.audio.io import read_measured, read_speech
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import AssetError, InputError, UsageError, several_files
from talkcli.engine.exports.formats import (
    MOTION,
    PLOT,
    SHEET,
    Format,
    check_distinct,
    check_motion,
    check_output,
    check_space,
    export,
    export_all,
    format_of,
    note_folders,
    split_suffix,
    take_path,
)
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import head_file, load_head, tell_head
from talkcli.engine.face.resample import resample
from talkcli.engine.face.template import Template, mesh_of, read_template, template_files
from talkcli.engine.face.topology import Topology
from talkcli.engine.files import sha256
from talkcli.engine.performers.open import chosen_controls, head_for, header_of, open_performer
from talkcli.engine.performers.performer import Controls, Performer, Sampling
from talkcli.engine.performers.rules import RULES, words_file
from talkcli.engine.performers.trained import Precision
from talkcli.engine.render.apart import DrawingProcess
from talkcli.engine.render.background import background_file
from talkcli.engine.render.framing import check_camera
from talkcli.engine.render.renderers import check_renderer
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import AnyMotion, Reporter, VertexMotion
from talkcli.engine.version import __version__

# Options of `animate_file` that name files, in the order of `files_read`.
NAMING = ("model_name", "text", "emotion_from", "head_name", "shot", "template")


def animate_file(
    speech_path: Path,
    outs: Sequence[Path],
    *,
    sampling: Sampling,
    controls: Mapping[str, Any] | None = None,
    emotion_from: Path | None,
    model_name: str,
    head_name: str | None,
    fps: float | None,
    shot: Shot,
    renderer: str,
    device_name: str,
    precision: Precision,
    layers: Mapping[str, bool | None],
    reporter: Reporter,
    text: str | None = None,
    overwrite: bool = False,
    template: Sequence[str] = (),
    topology: str | None = None,
    plot: Path | None = None,
    contact_sheet: Path | None = None,
    drawer: DrawingProcess | None = None,
    performer: Performer | None = None,
) -> dict[str, Any]:
    """Animate one speech file into every path of `outs`, for every take.

    Args:
        speech_path: Speech file.
        outs: Files and folders of any format in `FORMATS`.
        sampling: Number of takes, seed, actor and emotion.
        controls: Controls of the performer by name, as `chosen_controls` takes them.
        emotion_from: Speech file whose emotion replaces that of the speech; None keeps it.
        model_name: Performer, as for `open_performer`; the rules need `text`.
        head_name: Head to draw: a name or a head's file; None for the model's own.
        fps: Frame rate of the output in frames per second; None for the model's own.
        shot: What the pictures show, and how.
        renderer: Name of the renderer.
        device_name: Device as `resolve_device` takes it.
        precision: Number format of the network.
        layers: Layers to switch on or off, as `Layers.chosen` takes them.
        reporter: Receiver of notes, warnings and progress.
        text: Words for the rules, as `read_words` of `performers/rules.py` takes them.
        overwrite: Whether to replace the frames in a folder.
        template: Files of the face at rest of a model of vertices, as `read_template` takes them.
        topology: What the template is numbered after; None for the model's topology.
        plot: Picture of the motion's curves over the sound; None for none.
        contact_sheet: Picture of some frames with their times; None for none.
        drawer: Process that draws what it can draw; None: this one draws.
        performer: The performer that these options open, where the caller has opened it.

    Returns:
        The outputs with all settings, ready for JSON.

    Raises:
        TalkError: For unusable input, before anything is written.
    """
    if str(speech_path) == "-":
        raise UsageError("Speech is not read from stdin.", hint="Write it to a file first: cat > speech.wav")
    if speech_path.is_dir():
        raise InputError(f"{speech_path} is a folder, but a sound file is needed.", hint=several_files())
    rows = _rows(outs, plot, contact_sheet)
    paths = [
        [(take_path(out, take, sampling.takes), row) for out, row in rows] for take in range(sampling.takes)
    ]
    every_path = [
        path for number, take in enumerate(paths) for path, row in take if number == 0 or not row.write_all
    ]
    read = files_read(model_name, text, emotion_from, head_name, shot, template)
    check_distinct(every_path, [speech_path, *read], speech=speech_path)
    for path, row in (both for take in paths for both in take):
        check_output(path, row, shot=shot, overwrite=overwrite)
    note_folders(outs, reporter)
    formats = [row for _, row in rows]
    drawn, laid_out = any(row.drawn for row in formats), any(row.drawn or row.surface for row in formats)
    chosen, at_rest, head = prepare(
        rows,
        sampling=sampling,
        controls=controls,
        emotion_from=emotion_from,
        model_name=model_name,
        head_name=head_name,
        fps=fps,
        shot=shot,
        renderer=renderer,
        template=template,
        topology=topology,
        reporter=reporter,
    )
    tell_head(head, reporter)
    speech, quality = read_measured(speech_path, reporter)
    emotion_speech = read_speech(emotion_from, reporter) if emotion_from else None
    performer = performer or open_performer(
        model_name,
        device_name,
        precision=precision,
        layers=layers,
        text=text,
        reporter=reporter,
        template=at_rest,
    )
    if sampling.takes > 1 and not chosen.is_random:
        without = f"Without {chosen.draws} every" if chosen.draws else "Every"
        reporter.warn(f"{without} take is the same performance.")
    sampling, actor_by_default = performer.cast(sampling, reporter)

    performances = performer.perform(speech, sampling, chosen, emotion_speech)
    asked: dict[str, Any] = {
        "command": "animate",
        "talk": __version__,
        "speech_sha256": sha256(speech_path),
        "emotion_sha256": sha256(emotion_from) if emotion_from else None,
        "layers": list(performer.layers.on),
        **asdict(sampling),
        **asdict(chosen),
        "actor_by_default": actor_by_default,
    }
    report: dict[str, Any] = {
        "outputs": [],
        "duration_s": speech.duration_s,
        "sound": asdict(quality),
        **asked,
    }
    # The performer has read the speech by now; only formats with sound need it again.
    sound = speech if any(row.sound for row in formats) else None
    del speech, emotion_speech
    # Takes that share one output.
    together: dict[Path, list[Piece]] = {}
    for take, motion in enumerate(performances):
        shown = motion if fps is None else resample(motion, fps)
        piece = Piece(
            motion=shown,
            meta={**asked, **motion.meta, "take": take},
            reporter=reporter,
            topology=_mesh(head, shown, head_name, at_rest) if laid_out else None,
            speech=sound,
            sound_file=speech_path,
            shot=shot,
            renderer=renderer,
            drawer=drawer,
            overwrite=overwrite,
        )
        for path, row in paths[take]:
            if row.write_all:
                together.setdefault(path, []).append(piece)
                continue
            export(path, piece, row)
            report["outputs"].append(str(path))
        report["outputs"] += map(str, piece.beside)
        if piece.measured:
            report["measured"] = {**report.get("measured", {}), **piece.measured}
        report |= {**motion.meta, "frames": shown.num_frames, "fps": shown.fps}
        report["head"] = piece.topology.name if piece.topology else shown.space.name
    for path, pieces in together.items():
        export_all(path, pieces)
        report["outputs"].append(str(path))
        report["measured"] = {**report.get("measured", {}), **pieces[0].measured}
    if drawn:
        report |= asdict(shot)
    return report


class Prepared(NamedTuple):
    """What is known of an animation before any speech is read."""

    controls: Controls
    """Controls of the performer."""
    at_rest: Template | None
    """Face at rest that the user gave."""
    head: Head | None
    """Head to draw; None where nobody named one and nothing is drawn, and for a model of vertices."""


def prepare(
    rows: Sequence[tuple[Path, Format]],
    *,
    sampling: Sampling,
    controls: Mapping[str, Any] | None,
    emotion_from: Path | None,
    model_name: str,
    head_name: str | None,
    fps: float | None,
    shot: Shot,
    renderer: str,
    template: Sequence[str],
    topology: str | None,
    reporter: Reporter,
) -> Prepared:
    """Check what does not depend on the speech, and load what is small; `rows` are the outputs with their
    formats, the other arguments those of `animate_file`.

    Raises:
        TalkError: For options that do not fit each other or the model, and for missing or unusable files.
    """
    check_renderer(renderer)
    header = header_of(model_name)
    check_space([out for out, row in rows if row.space], header.space)
    chosen = chosen_controls(header, controls or {})
    chosen.check(sampling)
    at_rest = read_template(template, topology, reporter)
    head = _head_to_draw(head_name, header, rows, at_rest, shot.camera)
    check_motion([out for out, row in rows if row.fits], header.space, fps or float(header.fps), head)
    if sampling.emotion is not None and emotion_from is not None:
        raise UsageError("`emotion` and `emotion_from` both set the emotion.", hint="Leave one of them out.")
    return Prepared(chosen, at_rest, head)


def files_read(
    model_name: str,
    text: str | None,
    emotion_from: Path | None,
    head_name: str | None,
    shot: Shot,
    template: Sequence[str],
) -> list[Path | None]:
    """Return the files that options of `animate_file` name, beside the model."""
    words = words_file(text) if text and model_name == RULES else None
    head = head_file(head_name) if head_name else None
    return [words, emotion_from, head, background_file(shot.background), *template_files(template)]


def _rows(outs: Sequence[Path], plot: Path | None, contact_sheet: Path | None) -> list[tuple[Path, Format]]:
    """Return every output with its format."""
    asked = [(plot, PLOT), (contact_sheet, SHEET)]
    return [(out, format_of(out)) for out in outs] + [(out, row) for out, row in asked if out is not None]


def _head_to_draw(
    named: str | None,
    header: Meta,
    rows: Sequence[tuple[Path, Format]],
    template: Template | None,
    camera: str,
) -> Head | None:
    """Load the head called `named`, else the model's own when an output needs it.

    Args:
        named: Name of a head or a head's file; None for the model's own.
        header: Header of the performer.
        rows: Outputs with their formats.
        template: Face at rest that the user gave.
        camera: Camera that the head must suit when an output shows pictures.

    Returns:
        The head; None when nobody named one and no output needs one, and for a model of vertices, whose
        motion has a mesh instead.

    Raises:
        UsageError: For a head with other channels, a template of another topology, and a camera on a
            part that nobody knows of the head.
        AssetError: When the file of the head is missing, or no file has the triangles of the vertices.
    """
    pictures = any(row.drawn for _, row in rows)
    surfaces = [out for out, row in rows if row.drawn or row.surface]
    if header.num_verts is not None:
        if named is not None:
            load_head(named)
        if template is not None:
            template.check_fits(header.head, header.num_verts)
        if pictures:
            # Whether it can be drawn is known before anything is performed.
            still = np.zeros((header.num_verts, 3), np.float32)
            motion = VertexMotion(
                vertices=still[None], neutral=still, fps=float(header.fps), topology=header.head
            )
            check_camera(mesh_of(motion, named, template), camera)
        return None
    if named is not None:
        head = head_for(header, named)
        if pictures:
            check_camera(head, camera)
        return head
    if not surfaces:
        return None
    try:
        head = load_head(header.head)
    except AssetError as error:
        path = surfaces[0].with_name(split_suffix(surfaces[0])[0] + MOTION)
        raise AssetError(
            error.problem, hint=f"Motion needs no head: `out={path}`. To draw it: {error.hint}"
        ) from error
    if pictures:
        check_camera(head, camera)
    return head


def _mesh(head: Head | None, motion: AnyMotion, head_name: str | None, template: Template | None) -> Topology:
    """Return `head`, or for a model of vertices the mesh that its motion moves."""
    return mesh_of(motion, head_name, template) if head is None else head
