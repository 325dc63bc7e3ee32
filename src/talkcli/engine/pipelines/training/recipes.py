"""The sections of a training recipe, with the released values as defaults."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import create_model

from talkcli.engine.checkpoints.model_file import Storage
from talkcli.engine.methods import METHODS, Method, resolve, training_command
from talkcli.engine.train.batches import BatchConfig
from talkcli.engine.train.schedule import LoopConfig
from talkcli.engine.types import Config


class Recipe(Config):
    """What all recipes share; those of a method also have its `model` and its `objective`."""

    model: Any
    objective: Any
    data: BatchConfig = BatchConfig()
    train: LoopConfig = LoopConfig()
    leave_out: tuple[str, ...] = ()
    """The beginnings of the ids of clips that are neither trained on nor validated with."""
    storage: Storage = "float32"
    """Precision of matrices in the model file."""


def commands() -> dict[type[Recipe], str]:
    """Tell for every schema which command takes its recipes."""
    return {recipe_schema(name): training_command(name) for name in reversed(METHODS)}


def recipe_schema(method: str) -> type[Recipe]:
    """Give the schema of a method's recipes: that of its assembly, else one made of its two configs."""
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
