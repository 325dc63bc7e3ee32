"""Checks that the parts a training builds on fit its recipe and data, and puts them into the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from talkcli.engine.checkpoints.model_file import load_model, read_config
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.pipelines.training.recipes import Recipe
from talkcli.engine.types import MotionSpace


def part_config(path: Path, name: str, method: str) -> Any:
    """Read the config of the model in `path`, given as `name`. Raises InputError for another method than
    `method`.
    """
    header, config = read_config(path)
    if header.method != method:
        raise InputError(
            f"`{name}` {path} holds a {header.method}, a {method} is needed.",
            hint="Give another file, or choose the recipe that builds on this one.",
        )
    return config


def fill(part: nn.Module, path: Path, name: str, space: MotionSpace) -> None:
    """Put the weights of the model file `path` into `part`, which is for motion of `space`.

    Raises InputError for a model of another head, UsageError for one of other sizes.
    """
    loaded, header = load_model(path)
    if header.space != space:
        raise InputError(
            f"`{name}` {path} was trained on the head {header.head}, the manifest's motion is for "
            f"{space.name}.",
            hint="Train all parts on the same head.",
        )
    try:
        part.load_state_dict(loaded.state_dict())
    except RuntimeError as error:
        raise UsageError(
            f"`{name}` {path} has other sizes than the recipe: {str(error).splitlines()[-1].strip()}",
            hint="Use the recipe it was trained with.",
        ) from error


def check_same_fer(given: FerConfig, wanted: FerConfig) -> None:
    """Raise UsageError unless both make the same features: DEE trains on those of the `given` classifier and
    uses those of the `wanted` one.
    """
    before, after = given.model_dump(), wanted.model_dump()
    # A frozen classifier drops nothing out.
    changed = [key for key in before if key != "dropout" and before[key] != after[key]]
    if changed:
        shown = ", ".join(f"{key}: {before[key]}, not {after[key]}" for key in changed)
        raise UsageError(
            f"The classifier of `fer` has other settings than the recipe's model.expression ({shown}).",
            hint="Train both with recipes of the same name.",
        )


def check_window(recipe: Recipe, multiple: int) -> None:
    """Raise UsageError unless a window holds a multiple of the `multiple` frames that the prior needs."""
    if recipe.data.frames % multiple:
        raise UsageError(
            f"data.frames is {recipe.data.frames}, the motion prior needs a multiple of {multiple}.",
            hint=f"Add `set=data.frames={recipe.data.frames // multiple * multiple or multiple}`.",
        )
