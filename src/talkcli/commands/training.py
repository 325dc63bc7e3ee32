"""What the commands share that train a method."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from talkcli.console import Console
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import METHODS
from talkcli.engine.wording import counted


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
        stage: of training; None for the first.

    Raises:
        UsageError: for a method or a stage that does not exist.
        TalkError: as `train_method`.
    """
    from talkcli.config import load_recipe
    from talkcli.engine.pipelines.training.recipes import recipe_schema
    from talkcli.engine.pipelines.training.train import Job, train_method

    row = METHODS.get(method)
    if row is None:
        near = difflib.get_close_matches(method, METHODS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Methods: {', '.join(METHODS)}."
        raise UsageError(f"There is no method {method}.", hint=hint)
    if stage is not None and stage > row.stages:
        raise UsageError(
            f"The training of {method} has {counted(row.stages, 'stage')}.", hint="Leave `stage` out."
        )
    if row.stages > 1:
        stage = stage or 1
    elif stage == 1:
        stage = None
    config = load_recipe(recipe_schema(method), recipe or row.recipe, settings, stage=stage)
    job = Job(manifest=manifest, out=out, seed=seed, device=device, resume=resume, overwrite=overwrite)
    with Console(as_json=as_json, quiet=quiet) as console:
        trained = train_method(method, config, job, console, parts=parts, stage=stage or 1)
    if trained is not None:
        console.result(trained.report(), str(trained))
