"""`talk train-judge`: train one of our judges, which score motion where published networks are missing."""

from __future__ import annotations

from typing import Annotated

import typer

from talkcli.commands.options import (
    AsJson,
    Device,
    Manifest,
    Overwrite,
    Quiet,
    Resume,
    RunFolder,
    Seed,
    Settings,
)
from talkcli.commands.training import run_training
from talkcli.engine.checkpoints.own_judges import OWN_JUDGES
from talkcli.engine.errors import UsageError


def train_judge(
    manifest: Manifest,
    *,
    out: RunFolder,
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            help="Judge: sync (lip curves and sound), sync-image (pictures of mouths and sound), "
            "ffd (motion) or emotion-image (pictures), or a recipe of it such as sync.debug.",
        ),
    ],
    settings: Settings = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train one of our judges, which score motion where published networks are missing.

    talk train-judge data/manifest.jsonl --recipe sync --out runs/sync

    talk train METHOD trains them too, also by a YAML file. The run folder holds the settings, a log, the
    state for --resume, and the best weights (best.safetensors).
    """
    recipe = recipe.replace("-image", "_image")
    judge = recipe.partition(".")[0]
    if judge not in OWN_JUDGES:
        raise UsageError(
            f"There is no judge for --recipe {recipe}.",
            hint=f"Judges: {', '.join(OWN_JUDGES)}. A YAML file is for talk train sync --recipe FILE.",
        )
    run_training(
        judge,
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
