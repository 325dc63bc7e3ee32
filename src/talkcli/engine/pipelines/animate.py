"""Animation: speech to motion by a trained model or by the rules, written to motion files and videos.

Memory grows only with the length of the speech: talk writes a performance before it draws the next one, and
computes vertices and pictures piece by piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.audio.io import read_measured, read_speech
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import AssetError, InputError, UsageError, one_by_one
from talkcli.engine.exports.formats import (
    MOTION,
    check_distinct,
    check_output,
    check_space,
    export,
    format_of,
    needs_head,
    note_folders,
    split_suffix,
)
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.avatar.read import tell
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import head_file, load_head
from talkcli.engine.face.resample import resample
from talkcli.engine.face.template import Template, mesh_of, read_template, template_files
from talkcli.engine.face.topology import Topology
from talkcli.engine.files import sha256
from talkcli.engine.performers.open import chosen_controls, head_for, header_of, open_performer
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.performers.trained import Precision
from talkcli.engine.render.apart import DrawingProcess
from talkcli.engine.render.background import background_file
from talkcli.engine.render.framing import check_camera
from talkcli.engine.render.renderers import check_renderer
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import AnyMotion, Reporter, VertexMotion
from talkcli.engine.version import __version__


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
    drawer: DrawingProcess | None = None,
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
        drawer: Process that draws what it can draw; None: this one draws.

    Returns:
        The outputs with all settings, ready for JSON.

    Raises:
        TalkError: For unusable input, before anything is written.
    """
    if str(speech_path) == "-":
        raise UsageError("Speech is not read from stdin.", hint="Write it to a file first: cat > speech.wav")
    if speech_path.is_dir():
        hint = one_by_one(f"{speech_path}/*.wav")
        raise InputError(f"{speech_path} is a folder, but a sound file is needed.", hint=hint)
    paths = [[_take_path(out, take, sampling.takes) for out in outs] for take in range(sampling.takes)]
    every_path = [path for take in paths for path in take]
    inputs = [head_file(head_name) if head_name else None, background_file(shot.background)]
    check_distinct(every_path, [speech_path, emotion_from, *inputs, *template_files(template)])
    for path in every_path:
        check_output(path, shot=shot, overwrite=overwrite)
    check_renderer(renderer)
    note_folders(outs, reporter)
    formats = [format_of(out) for out in outs]
    drawn, laid_out = any(row.drawn for row in formats), bool(needs_head(outs))
    header = header_of(model_name)
    check_space(outs, header.space)
    chosen = chosen_controls(header, controls or {})
    chosen.check(sampling)
    at_rest = read_template(template, topology, reporter)
    head = _head_to_draw(head_name, header, outs, at_rest, shot.camera)
    tell(head, reporter)
    if sampling.emotion is not None and emotion_from is not None:
        raise UsageError("`emotion` and `emotion_from` both set the emotion.", hint="Leave one of them out.")
    speech, quality = read_measured(speech_path, reporter)
    emotion_speech = read_speech(emotion_from, reporter) if emotion_from else None
    performer = open_performer(
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
        for path in paths[take]:
            export(path, piece)
            report["outputs"].append(str(path))
        report |= {**motion.meta, "frames": shown.num_frames, "fps": shown.fps}
        report["head"] = piece.topology.name if piece.topology else shown.space.name
    if drawn:
        report |= asdict(shot)
    return report


def _head_to_draw(
    named: str | None, header: Meta, outs: Sequence[Path], template: Template | None, camera: str
) -> Head | None:
    """Load the head called `named`, else the model's own when an output needs it.

    Args:
        named: Name of a head or a head's file; None for the model's own.
        header: Header of the performer.
        outs: Outputs of the run.
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
    pictures = any(format_of(out).drawn for out in outs)
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
    surfaces = needs_head(outs)
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


def _take_path(out: Path, take: int, takes: int) -> Path:
    if takes == 1:
        return out
    # Enough digits that names in alphabetical order are in the order of takes.
    digits = max(2, len(str(takes)))
    stem, suffix = split_suffix(out)
    return out.with_name(f"{stem}.take{take + 1:0{digits}d}{suffix}")
