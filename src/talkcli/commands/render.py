"""`talk render`: a motion file becomes a video or a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from talkcli.commands.options import AsJson, Fps, Quiet
from talkcli.console import Console


def render(
    motion: Annotated[Path, typer.Argument(help="A motion file (.npz) of talk animate or talk preprocess.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A video (.mp4), or a folder for PNG frames.")],
    audio: Annotated[
        Path | None, typer.Option("--audio", help="Sound for the video; any format animate reads.")
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", help="The head to draw; absent: the motion's own.")
    ] = None,
    size: Annotated[
        int, typer.Option("--size", min=16, max=4096, help="Side of the picture, in pixels.")
    ] = 512,
    fps: Fps = None,
    view: Annotated[str, typer.Option("--view", help="front, three-quarter or profile.")] = "front",
    renderer: Annotated[str, typer.Option("--renderer", help="software or pyrender.")] = "software",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace frame_*.png in a folder that is not empty.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draw a motion file.

    talk render motion.npz --audio speech.wav --out face.mp4
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        console.progress("loading", 0, None)
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
        )
        console.result(report, "\n".join(report["outputs"]))
