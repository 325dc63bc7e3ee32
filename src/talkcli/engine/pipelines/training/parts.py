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
    """Return the config of a part's model.

    Args:
        path: Model file of the part.
        name: Name of the part, for the message.
        method: Method that the model must have.

    Raises:
        InputError: For a model of another method, and for a file that cannot be read.
    """
    header, config = read_config(path)
    if header.method != method:
        raise InputError(
            f"`{name}` {path} holds a {header.method}, a {method} is needed.",
            hint="Give another file, or choose the recipe that builds on this one.",
        )
    return config


def fill(part: nn.Module, path: Path, name: str, space: MotionSpace | None) -> None:
    """Put the weights of a model file into `part`.

    Args:
        part: Part of the model to train.
        path: Model file of the part.
        name: Name of the part, for the message.
        space: Head and channels, or topology, of the training data; None for a part that only hears.

    Raises:
        InputError: For a model of another head, and for a file that cannot be read.
        UsageError: For a model of other sizes.
    """
    loaded, header = load_model(path)
    if space is not None and header.space != space:
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
    """Raise UsageError unless two classifiers compute the same features.

    DEE takes the weights of the `given` one and builds its layers after the config of the `wanted` one.
    """
    before, after = given.model_dump(), wanted.model_dump()
    # Dropout may differ: the classifier is frozen, and drops nothing out.
    changed = [key for key in before if key != "dropout" and before[key] != after[key]]
    if changed:
        shown = ", ".join(f"{key}: {before[key]}, not {after[key]}" for key in changed)
        raise UsageError(
            f"The classifier of `fer` has other settings than the recipe's model.expression ({shown}).",
            hint="Train both with recipes of the same name.",
        )


def check_window(recipe: Recipe, multiple: int) -> None:
    """Raise UsageError unless the frames of a window are a multiple of `multiple`, which the prior needs."""
    if recipe.data.frames % multiple:
        raise UsageError(
            f"data.frames is {recipe.data.frames}, the motion prior needs a multiple of {multiple}.",
            hint=f"Add `set=data.frames={recipe.data.frames // multiple * multiple or multiple}`.",
        )
