"""Declare once the options that commands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from talkcli.option_names import speak_for

# Heading of --help.
_PICTURE = "Picture"


def _finite(value: float | None) -> float | None:
    # typer compares the value with the bounds, and NaN passes every such comparison.
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


def _speaks(ctx: Any, value: bool) -> bool:
    # This is a callback of --json, since every command has that option. The class of `ctx` is private to
    # typer.
    speak_for(ctx.command.params)
    return value


AsJson = Annotated[
    bool,
    typer.Option("--json", callback=_speaks, help="Print one JSON document on stdout instead of text."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no notes; warnings stay.")]
Workers = Annotated[
    int, typer.Option("--workers", min=0, help="Number of worker processes; 0: work in this process.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Seed of every random choice.")]
Device = Annotated[str, typer.Option("--device", help="Device: auto, cpu, cuda or cuda:N.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override one recipe value, e.g. --set train.steps=100; the last value for a key wins.",
    ),
]
MaxMinutes = Annotated[
    float | None,
    typer.Option(
        "--max-minutes",
        min=0.01,
        callback=_finite,
        help="Longest sound in one file, in minutes. Default: the variable TALK_MAX_MINUTES, else 240.",
    ),
]
Fps = Annotated[
    float | None,
    typer.Option(
        "--fps",
        min=1,
        max=240,
        callback=_finite,
        help="Frame rate of the motion, in frames per second. Default: the motion's own.",
    ),
]
Template = Annotated[
    list[str] | None,
    typer.Option(
        "--template",
        metavar="FILE[:SUBJECT]",
        help="Face at rest for motion of vertices: templates.pkl and a subject, or a .ply, .obj, .npy "
        "or motion file. Give it twice for a subject and a mesh with the triangles (docs/formats.md).",
    ),
]
TopologyName = Annotated[
    str | None,
    typer.Option(
        "--topology", help="Numbering of the template's vertices: flame or biwi. Default: the motion's."
    ),
]
HeadToDraw = Annotated[
    str | None,
    typer.Option(
        "--head",
        metavar="NAME|FILE",
        help="Head to draw: ada, abe, bust, flame, a file from talk head, a FLAME file, or an avatar (.glb, "
        ".gltf, .vrm). Default: the motion's own.",
        rich_help_panel=_PICTURE,
    ),
]
Look = Annotated[
    str,
    typer.Option("--look", help="Look of the head: skin, or clay (grey).", rich_help_panel=_PICTURE),
]
PictureSize = Annotated[
    str,
    typer.Option(
        "--size",
        metavar="N|WxH",
        help="Size of the picture in pixels: one number for a square, or width and height, such as "
        "1080x1920. 64 to 4096 a side; even for a video.",
        rich_help_panel=_PICTURE,
    ),
]
Background = Annotated[
    str | None,
    typer.Option(
        "--background",
        metavar="COLOUR|FILE|transparent",
        help="What lies behind the head: a colour (white, #2a4d69), a .png or .jpg file, or transparent "
        "(.webm, .mov, .gif and PNG frames). Default: a dark wall.",
        rich_help_panel=_PICTURE,
    ),
]
Framing = Annotated[
    str,
    typer.Option(
        "--camera",
        help="What the picture shows: portrait, close (the face), mouth, eyes, or bust (with the neck).",
        rich_help_panel=_PICTURE,
    ),
]
View = Annotated[
    str,
    typer.Option(
        "--view", help="Side of the camera: front, three-quarter or profile.", rich_help_panel=_PICTURE
    ),
]
Zoom = Annotated[
    float,
    typer.Option(
        "--zoom",
        min=1,
        max=4,
        callback=_finite,
        help="Number of times that things are larger, in the middle of the picture.",
        rich_help_panel=_PICTURE,
    ),
]
OverwriteFrames = Annotated[
    bool, typer.Option("--overwrite", help="Replace frame_* in a folder that is not empty.")
]
RendererName = Annotated[
    str,
    typer.Option("--renderer", help="Renderer: software or pyrender.", rich_help_panel=_PICTURE),
]
# Options that the training commands share.
Manifest = Annotated[Path, typer.Argument(help="Manifest of training clips, from talk preprocess.")]
RunFolder = Annotated[Path, typer.Option("--out", "-o", help="Run folder to write.")]
Recipe = Annotated[str, typer.Option("--recipe", help="Packaged recipe, or path of a YAML file.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue from the run's last checkpoint.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run in --out.")]
Fer = Annotated[
    str | None,
    typer.Option("--fer", metavar="RUN|FILE|random", help="Expression classifier, from talk train-fer."),
]
Emotion2vec = Annotated[
    str | None,
    typer.Option(
        "--emotion2vec",
        metavar="FILE|random",
        help="Published emotion2vec base weights (fairseq or FunASR); random: untrained weights, for trials.",
    ),
]
Wav2vec2 = Annotated[
    str | None,
    typer.Option(
        "--wav2vec2",
        metavar="FILE|FOLDER|random",
        help="Published wav2vec 2.0 base weights (torchaudio, Hugging Face or fairseq); random: untrained "
        "weights, for trials.",
    ),
]
LipReader = Annotated[
    str | None,
    typer.Option(
        "--lip-reader",
        metavar="FILE|random",
        help="Published visual speech recogniser for the lip-reading loss; random: untrained weights, for "
        "trials.",
    ),
]
