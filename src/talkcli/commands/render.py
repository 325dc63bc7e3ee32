"""`talk render`: turn a motion file into a video or a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from talkcli.commands.options import AsJson, Fps, Quiet, Template, TopologyName
from talkcli.console import Console


def render(
    motion: Annotated[Path, typer.Argument(help="Motion file (.npz) from talk animate or talk preprocess.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Output: a video (.mp4), or a folder for PNG frames.")
    ],
    audio: Annotated[
        Path | None,
        typer.Option("--audio", help="Sound of the video, in any format that talk animate reads."),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option("--head", help="Head to draw: ada, flame, or a FLAME file. Default: the motion's own."),
    ] = None,
    size: Annotated[
        int, typer.Option("--size", min=16, max=4096, help="Width and height of the picture, in pixels.")
    ] = 512,
    fps: Fps = None,
    view: Annotated[
        str, typer.Option("--view", help="Camera view: front, three-quarter or profile.")
    ] = "front",
    renderer: Annotated[str, typer.Option("--renderer", help="Renderer: software or pyrender.")] = "software",
    template: Template = None,
    topology: TopologyName = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace frame_*.png in a folder that is not empty.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draw a motion file as a video or as PNG frames.

    talk render motion.npz --audio speech.wav --out face.mp4
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        with console.loading():
            from talkcli.engine.pipelines.render import render_motion_file

        report = render_motion_file(
            motion,
            out,
            audio=audio,
            head_name=head,
            size=size,
            fps=fps,
            view=view,
            renderer=renderer,
            overwrite=overwrite,
            reporter=console,
            template=template or (),
            topology=topology,
        )
        console.result(report, "\n".join(report["outputs"]))
