"""`talk train-gen`: train DEEPTalk, the generator, on a trained emotion embedding and motion prior."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from talkcli.commands.options import (
    AsJson,
    Device,
    Manifest,
    Overwrite,
    Quiet,
    Recipe,
    Resume,
    RunFolder,
    Seed,
    Settings,
)
from talkcli.console import Console


def train_gen(
    manifest: Manifest,
    *,
    out: RunFolder,
    dee: Annotated[Path | None, typer.Option("--dee", help="Run folder or model file of train-dee.")] = None,
    prior: Annotated[
        Path | None, typer.Option("--prior", help="Run folder or model file of train-vq.")
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

    The run folder holds the settings, a log, the state to go on from, and best.safetensors.
    """
    from talkcli.config import load_recipe
    from talkcli.engine.pipelines import train

    config = load_recipe(train.DeepTalkRecipe, recipe, settings)
    job = train.Job(manifest=manifest, out=out, seed=seed, device=device, resume=resume, overwrite=overwrite)
    with Console(as_json=as_json, quiet=quiet) as console:
        trained = train.train_gen(config, job, console, dee=dee, prior=prior)
    shown = ", ".join(f"{name} {value:.4g}" for name, value in trained.measures.items())
    console.result({"model": str(trained.model), "measures": trained.measures}, f"{trained.model}: {shown}")
