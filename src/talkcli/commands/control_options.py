"""Options of `talk animate` that are controls of one method."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Level = Annotated[
    float | None,
    typer.Option(
        "--level",
        min=0,
        max=1,
        help="Level of the emotion for EmoTalk and EmoFace: 0 is normal, 1 is strong. Default: 1.",
    ),
]
Feedback = Annotated[
    Literal["exact", "window", "parallel"] | None,
    typer.Option(
        "--feedback",
        help="What a CodeTalker model decodes after every frame: all frames so far, as published; the "
        "newest (window); or the newest of stretches of a few seconds, which are made side by side, the "
        "fastest for long speech (parallel). Default: all, for motion of up to 600 frames, else window.",
    ),
]
Sampler = Annotated[
    Literal["ancestral", "ddim"] | None,
    typer.Option(
        "--sampler",
        help="Noise of a FaceDiffuser model: new at every step (ancestral, the default) or once (ddim).",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps", min=1, max=10_000, help="Steps of a FaceDiffuser model. Default: all; for ddim 20."
    ),
]
Logits = Annotated[
    Path | None,
    typer.Option(
        "--logits",
        help="Logits of the speech for a VOCA model, by DeepSpeech or another recogniser of letters: "
        ".npy or .npz (docs/methods/voca.md). Default: phones that talk hears stand in for them.",
    ),
]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature",
        min=0,
        help="Sampling temperature of a MeshTalk model's classes; 0 takes the most probable ones. Default: "
        "1, as published.",
    ),
]
AlwaysPad = Annotated[
    bool,
    typer.Option(
        "--always-pad",
        help="Add one to four frames of silence at the end, as the released demo always does.",
    ),
]
