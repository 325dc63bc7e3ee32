"""What the commands share that train a method."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from talkcli.console import Console


def run_training(
    method: str,
    manifest: Path,
    *,
    out: Path,
    parts: Mapping[str, str | None],
    recipe: str | None,
    settings: list[str] | None,
    resume: bool,
    overwrite: bool,
    seed: int,
    device: str,
    as_json: bool,
    quiet: bool,
    stage: int | None = None,
) -> None:
    """Train `method` as `train_method` does and print what came of it.

    Args:
        recipe: a packaged name or a path; None for the method's own.
        settings: `KEY=VALUE` over the recipe.
        stage: of training; None where the method has one alone.
    """
    from talkcli.config import load_recipe
    from talkcli.engine.methods import METHODS
    from talkcli.engine.pipelines.training.recipes import recipe_schema
    from talkcli.engine.pipelines.training.train import Job, train_method

    config = load_recipe(recipe_schema(method), recipe or METHODS[method].recipe, settings, stage=stage)
    job = Job(manifest=manifest, out=out, seed=seed, device=device, resume=resume, overwrite=overwrite)
    with Console(as_json=as_json, quiet=quiet) as console:
        trained = train_method(method, config, job, console, parts=parts, stage=stage or 1)
    if trained is not None:
        console.result(trained.report(), str(trained))
