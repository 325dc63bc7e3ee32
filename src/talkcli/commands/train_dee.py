"""`talk train-dee`: train DEE, the emotion embedding."""

from __future__ import annotations

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


def train_dee(
    manifest: Manifest,
    *,
    out: RunFolder,
    recipe: Recipe = "dee-small",
    settings: Settings = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train DEE, the emotion embedding.

    The run folder holds the settings, a log, the state to go on from, and best.safetensors.
    """
    from talkcli.config import load_recipe
    from talkcli.engine.pipelines import train

    config = load_recipe(train.DeeRecipe, recipe, settings)
    job = train.Job(manifest=manifest, out=out, seed=seed, device=device, resume=resume, overwrite=overwrite)
    with Console(as_json=as_json, quiet=quiet) as console:
        trained = train.train_dee(config, job, console)
    shown = ", ".join(f"{name} {value:.4g}" for name, value in trained.measures.items())
    console.result({"model": str(trained.model), "measures": trained.measures}, f"{trained.model}: {shown}")
