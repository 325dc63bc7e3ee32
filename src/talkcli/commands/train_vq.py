"""`talk train-vq`: train the motion prior."""

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


def train_vq(
    manifest: Manifest,
    *,
    out: RunFolder,
    recipe: Recipe = "th_vqvae-small",
    settings: Settings = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train TH-VQVAE, the motion prior.

    The run folder holds the settings, a log, the state to go on from, and best.safetensors.
    """
    from talkcli.config import load_recipe
    from talkcli.engine.pipelines.training import recipes, train

    config = load_recipe(recipes.PriorRecipe, recipe, settings)
    job = train.Job(manifest=manifest, out=out, seed=seed, device=device, resume=resume, overwrite=overwrite)
    with Console(as_json=as_json, quiet=quiet) as console:
        trained = train.train_vq(config, job, console)
    if trained is not None:
        console.result(trained.report(), str(trained))
