"""`talk train-phones`: train the phone encoder: log-mel features to phone probabilities."""

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
    """Train the phone encoder: log-mel features to phone probabilities.

    The manifest must name the phones of its clips with their times, as that of talk preprocess corpus does.
    The run folder holds the settings, a log, the state for --resume, and the best weights (best.safetensors).
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
