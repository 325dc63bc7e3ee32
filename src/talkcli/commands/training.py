"""Code that the training commands share."""

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
    estimate: bool = False,
) -> None:
    """Train `method` as `train_method` does, and print the result.

    Args:
        method: Name of the method.
        manifest: Manifest of training clips.
        out: Run folder to write.
        parts: Part by name: a run folder, a model file, or random; None for a part that was not given.
        recipe: Packaged name, or path of a YAML file; None for the method's own.
        settings: `KEY=VALUE` to change in the recipe.
        resume: Whether to continue from the run's last checkpoint.
        overwrite: Whether to replace the run in `out`.
        seed: Seed of every random choice.
        device: Device as `resolve_device` takes it.
        as_json: Whether to print the result as JSON.
        quiet: Whether to print no progress and no notes.
        stage: Stage of training; None for the first.
        of_any_kind: Whether to train the method that the recipe's `model.kind` names; it shares the schema of
            `method`.
        estimate: Whether to say what the training would take, and train nothing.

    Raises:
        UsageError: For a method that does not exist.
        TalkError: As `train_method` raises.
    """
    from talkcli.config import load_recipe
    from talkcli.engine.pipelines.training.recipes import recipe_schema
    from talkcli.engine.pipelines.training.train import Job, estimate_method, train_method

    row = METHODS.get(method)
    if row is None:
        near = difflib.get_close_matches(method, METHODS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Methods: {', '.join(METHODS)}."
        raise UsageError(f"There is no method {method}.", hint=hint)
    # Only the recipes of methods with stages have sections for them.
    asked = stage or 1
    section = asked if row.stages > 1 else None
    config = load_recipe(recipe_schema(method), recipe or row.recipe, settings, stage=section)
    if of_any_kind:
        method = str(config.model.kind)
    job = Job(manifest=manifest, out=out, seed=seed, device=device, resume=resume, overwrite=overwrite)
    with Console(as_json=as_json, quiet=quiet) as console:
        work = estimate_method if estimate else train_method
        done = work(method, config, job, console, parts=parts, stage=asked)
    if done is not None:
        console.result(done.report(), str(done))
