"""The sections of a training recipe, with the released values as defaults."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import create_model

from talkcli.engine.checkpoints.model_file import Storage
from talkcli.engine.method_rows.row import Method
from talkcli.engine.methods import METHODS, resolve, training_command
from talkcli.engine.train.batches import BatchConfig
from talkcli.engine.train.schedule import LoopConfig
from talkcli.engine.types import Config


class Recipe(Config):
    """The sections of every recipe; the schema of a method gives `model` and `objective` their types."""

    model: Any
    """Config of the model."""
    objective: Any
    """Config of the objective."""
    data: BatchConfig = BatchConfig()
    """Windows of a training step, and how they are altered and disturbed."""
    train: LoopConfig = LoopConfig()
    """Settings of the training loop."""
    leave_out: tuple[str, ...] = ()
    """Beginnings of the ids of clips that training and validation leave out."""
    storage: Storage = "float32"
    """Precision of matrices in the model file."""


def commands() -> dict[type[Recipe], str]:
    """Return the command that takes the recipes of each schema."""
    return {recipe_schema(name): training_command(name) for name in reversed(METHODS)}


def recipe_schema(method: str) -> type[Recipe]:
    """Return the schema of a method's recipes: its assembly's, or else one made of its two configs."""
    return _schema_of(METHODS[method])


@cache
def _schema_of(row: Method) -> type[Recipe]:
    if row.assembly is not None:
        schema: type[Recipe] = resolve(row.assembly).Recipe
        return schema
    model, objective = resolve(row.config), resolve(row.objective_config)
    return create_model(
        f"{model.__name__.removesuffix('Config')}Recipe",
        __base__=Recipe,
        model=(model, model()),
        objective=(objective, objective()),
    )
