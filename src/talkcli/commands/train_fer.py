"""`talk train-fer`: train FER, the classifier of facial expressions whose features DEE takes as input."""

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


def train_fer(
    manifest: Manifest,
    *,
    out: RunFolder,
    recipe: Recipe = "fer-released",
    settings: Settings = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train FER, the classifier of facial expressions. DEE takes its features as input.

    The run folder holds the settings, a log, the state for --resume, and the best weights (best.safetensors).
    """
    run_training(
        "fer",
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
