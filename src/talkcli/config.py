"""Recipes: a YAML file of differences plus `--set a.b=1`, validated into a frozen pydantic model."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from talkcli.engine.assets import RECIPES_DIR
from talkcli.engine.errors import UsageError

Model = TypeVar("Model", bound=BaseModel)


def recipe_names() -> list[str]:
    """Names of the packaged recipes, sorted."""
    return sorted(path.name.removesuffix(".yaml") for path in RECIPES_DIR.glob("*.yaml"))


def load_recipe(schema: type[Model], recipe: str, settings: list[str] | None = None) -> Model:
    """The config of `recipe` (a packaged name or a path ending in .yaml) with `settings` (`a.b=value`).

    Raises UsageError for an unknown recipe or key (with the nearest known one) and for invalid values.
    """
    values = _read(recipe)
    for setting in settings or []:
        _apply(values, setting)
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"Recipe {recipe}: {_explain(schema, error)}") from error


def _read(recipe: str) -> dict[str, Any]:
    path = Path(recipe) if recipe.endswith((".yaml", ".yml")) else RECIPES_DIR / f"{recipe}.yaml"
    if not path.is_file():
        near = difflib.get_close_matches(recipe, recipe_names(), n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Packaged recipes: {', '.join(recipe_names())}."
        raise UsageError(f"There is no recipe {recipe}.", hint=hint)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"Recipe {path} is not readable YAML ({error}).") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UsageError(f"Recipe {path} holds a {type(values).__name__}, a mapping is needed.")
    return values


def _apply(values: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise UsageError(f"--set {setting} is not of the form KEY=VALUE.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {setting}: the value is not valid YAML ({error}).") from error
    *parents, leaf = key.split(".")
    node = values
    for parent in parents:
        node = node.setdefault(parent, {})
        if not isinstance(node, dict):
            raise UsageError(f"--set {setting}: {parent} holds a value, not a group of values.")
    node[leaf] = value


def _explain(schema: type[BaseModel], error: ValidationError) -> str:
    sentences = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(item["loc"][-1]), _fields_at(schema, item["loc"][:-1]), n=1)
            sentences.append(f"unknown key {where}" + (f", did you mean {near[0]}?" if near else "."))
        else:
            sentences.append(f"{where or 'recipe'}: {item['msg']}.")
    return " ".join(sentences)


def _fields_at(schema: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        field = schema.model_fields.get(str(part))
        group = field.annotation if field else None
        if not isinstance(group, type) or not issubclass(group, BaseModel):
            return []
        schema = group
    return list(schema.model_fields)
