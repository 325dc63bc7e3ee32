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
from talkcli.commands.training import run_training


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

    The run folder holds the settings, a log, the state for --resume, and the best weights (best.safetensors).
    """
    run_training(
        "th_vqvae",
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
        of_any_kind=True,
    )
