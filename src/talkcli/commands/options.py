"""The options every command shares, declared once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer


def _finite(value: float | None) -> float | None:
    # Comparisons with a bound let NaN through.
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes; warnings stay.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Fixes every random choice.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one recipe value, e.g. --set train.steps=100."),
]
Fps = Annotated[
    float | None,
    typer.Option(
        "--fps", min=1, max=240, callback=_finite, help="Frames per second; absent: the motion's own."
    ),
]
# What the three training commands share.
Manifest = Annotated[Path, typer.Argument(help="Manifest of training clips, from talk preprocess.")]
RunFolder = Annotated[Path, typer.Option("--out", "-o", help="Run folder to make.")]
Recipe = Annotated[str, typer.Option("--recipe", help="Packaged recipe or path of a YAML file.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run in --out.")]
