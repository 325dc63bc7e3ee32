"""What the commands share that train a method."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from talkcli.console import Console
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import METHODS


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
    of_any_kind: bool = False,
) -> None:
    """Train `method` as `train_method` does and print what came of it.

    Args:
        recipe: a packaged name or a path; None for the method's own.
        settings: `KEY=VALUE` over the recipe.
        stage: of training; None for the first.
        of_any_kind: train the method that the recipe's `model.kind` names, which shares its schema.

    Raises:
        UsageError: for a method that does not exist.
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
    # Recipes have sections for stages where the method has any.
    asked = stage or 1
    section = asked if row.stages > 1 else None
    config = load_recipe(recipe_schema(method), recipe or row.recipe, settings, stage=section)
    if of_any_kind:
        method = str(config.model.kind)
    job = Job(manifest=manifest, out=out, seed=seed, device=device, resume=resume, overwrite=overwrite)
    with Console(as_json=as_json, quiet=quiet) as console:
        trained = train_method(method, config, job, console, parts=parts, stage=asked)
    if trained is not None:
        console.result(trained.report(), str(trained))
