"""`talk export`: write a motion file in other formats."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from talkcli.commands.options import (
    AsJson,
    Background,
    Fps,
    Framing,
    HeadToDraw,
    Look,
    OverwriteFrames,
    PictureSize,
    Quiet,
    RendererName,
    Template,
    TopologyName,
    View,
    Zoom,
)
from talkcli.console import Console

# Parameters that a head without motion knows; the others say how to show a motion.
_OF_HEADS = ("out", "motion", "head", "as_json", "quiet")


def export(
    out: Annotated[
        list[Path],
        typer.Option(
            "--out",
            "-o",
            help="Output; its suffix is the format (docs/formats.md): .csv (Live Link Face), .json (ARKit), "
            ".rhubarb.json, .vrma, .webm and others. You may give the option several times.",
        ),
    ],
    motion: Annotated[
        Path | None,
        typer.Argument(
            help="Motion file (.npz) from talk animate or talk preprocess. Without it, the head itself is "
            "written, as an avatar (.glb)."
        ),
    ] = None,
    speech: Annotated[
        Path | None,
        typer.Option("--speech", help="Sound of the motion, in any format that talk animate reads."),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="WORDS|FILE",
            help="Words of the sound, for tracks of visemes: the words themselves, a text file, or a "
            "TextGrid with a tier phones. Default: the phones in the motion file, else the mouth's shapes.",
        ),
    ] = None,
    head: HeadToDraw = None,
    fps: Fps = None,
    template: Template = None,
    topology: TopologyName = None,
    overwrite: OverwriteFrames = False,
    look: Look = "skin",
    size: PictureSize = "512",
    background: Background = None,
    camera: Framing = "portrait",
    view: View = "front",
    zoom: Zoom = 1.0,
    renderer: RendererName = "software",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a motion file in other formats: curves, visemes, meshes, films; or a head as an avatar.

    talk export motion.npz --out face.csv --out face.rhubarb.json

    talk export --head ada --out ada.glb
    """
    options = dict(locals())
    with Console(as_json=as_json, quiet=quiet) as console:
        if motion is None:
            with console.loading():
                from talkcli.engine.pipelines.export_head import export_head

            _check_none_given(options)
            report = export_head(head, out, console)
            console.result(report, "\n".join(report["outputs"]))
            return
        with console.loading():
            from talkcli.engine.pipelines.export import export_motion_file
            from talkcli.engine.render.shot import shot_of

        report = export_motion_file(
            motion,
            out,
            sound=speech,
            head_name=head,
            shot=shot_of(size=size, look=look, background=background, camera=camera, view=view, zoom=zoom),
            fps=fps,
            renderer=renderer,
            overwrite=overwrite,
            reporter=console,
            text=text,
            template=template or (),
            topology=topology,
        )
        console.result(report, "\n".join(report["outputs"]))


def _check_none_given(options: Mapping[str, Any]) -> None:
    """Raise UsageError for the first option that needs a motion and differs from its default."""
    from talkcli.engine.errors import UsageError

    for name, known in inspect.signature(export).parameters.items():
        if name not in _OF_HEADS and options[name] and options[name] != known.default:
            raise UsageError(
                f"`{name}` needs a motion, and a head without motion is written.",
                hint="Name a motion file first, or leave the option out.",
            )
