"""`talk render`: turn a motion file into a film or a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


def render(
    motion: Annotated[Path, typer.Argument(help="Motion file (.npz) from talk animate or talk preprocess.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Output: a film (.mp4, .webm, .mov, .gif), or a folder for PNG frames."
        ),
    ],
    audio: Annotated[
        Path | None,
        typer.Option("--audio", help="Sound of the video, in any format that talk animate reads."),
    ] = None,
    head: HeadToDraw = None,
    look: Look = "skin",
    size: PictureSize = "512",
    background: Background = None,
    camera: Framing = "portrait",
    view: View = "front",
    zoom: Zoom = 1.0,
    fps: Fps = None,
    renderer: RendererName = "software",
    template: Template = None,
    topology: TopologyName = None,
    overwrite: OverwriteFrames = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draw a motion file as a film or as PNG frames.

    talk render motion.npz --audio speech.wav --out face.mp4
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        with console.loading():
            from talkcli.engine.pipelines.export import export_motion_file
            from talkcli.engine.render.shot import shot_of

        report = export_motion_file(
            motion,
            [out],
            sound=audio,
            head_name=head,
            shot=shot_of(size=size, look=look, background=background, camera=camera, view=view, zoom=zoom),
            fps=fps,
            renderer=renderer,
            overwrite=overwrite,
            reporter=console,
            template=template or (),
            topology=topology,
            drawn=True,
        )
        console.result(report, "\n".join(report["outputs"]))
