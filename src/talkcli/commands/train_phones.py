"""`talk train-phones`: train the front-end that hears phones."""

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


def train_phones(
    manifest: Manifest,
    *,
    out: RunFolder,
    recipe: Recipe = "phones",
    settings: Settings = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train the front-end that hears phones.

    The clips of the manifest must say which phone is when, as those of talk preprocess corpus do.
    The run folder holds the settings, a log, the state to go on from, and best.safetensors.
    """
    from talkcli.config import load_recipe
    from talkcli.engine.pipelines.training import recipes, train

    config = load_recipe(recipes.PhonesRecipe, recipe, settings)
    job = train.Job(manifest=manifest, out=out, seed=seed, device=device, resume=resume, overwrite=overwrite)
    with Console(as_json=as_json, quiet=quiet) as console:
        trained = train.train_phones(config, job, console)
    if trained is not None:
        console.result(trained.report(), str(trained))
