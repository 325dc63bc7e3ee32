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
from talkcli.commands.training import run_training


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
    run_training(
        "phones",
        manifest,
        out=out,
        parts={},
        recipe=recipe,
        settings=settings,
        resume=resume,
        overwrite=overwrite,
        seed=seed,
        device=device,
        as_json=as_json,
        quiet=quiet,
    )
