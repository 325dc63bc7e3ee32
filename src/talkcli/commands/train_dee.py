"""`talk train-dee`: train DEE, the emotion embedding."""

from __future__ import annotations

from talkcli.commands.options import (
    AsJson,
    Device,
    Emotion2vec,
    Fer,
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


def train_dee(
    manifest: Manifest,
    *,
    out: RunFolder,
    emotion2vec: Emotion2vec = None,
    fer: Fer = None,
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

    The recipe dee-small needs nothing but the manifest. The recipes dee and dee-released also need
    emotion2vec and a FER model.
    The run folder holds the settings, a log, the state for --resume, and the best weights (best.safetensors).
    """
    run_training(
        "dee",
        manifest,
        out=out,
        parts={"emotion2vec": emotion2vec, "fer": fer},
        recipe=recipe,
        settings=settings,
        resume=resume,
        overwrite=overwrite,
        seed=seed,
        device=device,
        as_json=as_json,
        quiet=quiet,
    )
