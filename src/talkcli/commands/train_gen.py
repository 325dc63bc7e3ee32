"""`talk train-gen`: train DEEPTalk, the generator, on a trained emotion embedding and motion prior."""

from __future__ import annotations

from typing import Annotated

import typer

from talkcli.commands.options import (
    AsJson,
    Device,
    LipReader,
    Manifest,
    Overwrite,
    Quiet,
    Recipe,
    Resume,
    RunFolder,
    Seed,
    Settings,
    Wav2vec2,
)
from talkcli.commands.training import run_training


def train_gen(
    manifest: Manifest,
    *,
    out: RunFolder,
    dee: Annotated[
        str | None, typer.Option("--dee", metavar="RUN|FILE", help="Emotion embedding, from talk train-dee.")
    ] = None,
    prior: Annotated[
        str | None, typer.Option("--prior", metavar="RUN|FILE", help="Motion prior, from talk train-vq.")
    ] = None,
    phones: Annotated[
        str | None,
        typer.Option(
            "--phones",
            metavar="RUN|FILE|random",
            help="Phone encoder, from talk train-phones; random: random weights, for trials only.",
        ),
    ] = None,
    wav2vec2: Wav2vec2 = None,
    lip_reader: LipReader = None,
    stage: Annotated[
        int,
        typer.Option(
            "--stage",
            min=1,
            max=2,
            help="Stage of training. 1: from the parts; 2: from --start, with perceptual losses.",
        ),
    ] = 1,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="RUN|FILE",
            help="Stage 2: run folder or model file of stage 1, in place of the parts.",
        ),
    ] = None,
    recipe: Recipe = "deeptalk-small",
    settings: Settings = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train DEEPTalk, the generator, on a trained emotion embedding and motion prior.

    The run folder holds the settings, a log, the state for --resume, and the best weights (best.safetensors).
    """
    run_training(
        "deeptalk",
        manifest,
        out=out,
        parts={
            "dee": dee,
            "prior": prior,
            "phones": phones,
            "wav2vec2": wav2vec2,
            "start": start,
            "lip_reader": lip_reader,
        },
        recipe=recipe,
        settings=settings,
        resume=resume,
        overwrite=overwrite,
        seed=seed,
        device=device,
        as_json=as_json,
        quiet=quiet,
        stage=stage,
    )
