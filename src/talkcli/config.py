"""Recipes: a YAML file of differences plus `--set a.b=1`, validated into a frozen pydantic model.

A recipe may build on another (`base: NAME`, a packaged name or a path beside it) and may say what a second
stage of training changes (`stage_2:`); either is merged key by key.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from talkcli.engine.assets import RECIPES_DIR
from talkcli.engine.errors import UsageError

Model = TypeVar("Model", bound=BaseModel)


def recipe_names() -> list[str]:
    """Names of the packaged recipes, sorted."""
    return sorted(path.name.removesuffix(".yaml") for path in RECIPES_DIR.glob("*.yaml"))


def load_recipe(
    schema: type[Model], recipe: str, settings: list[str] | None = None, *, stage: int | None = None
) -> Model:
    """The config of `recipe` (a packaged name or a path ending in .yaml) with `settings` (`a.b=value`).

    Where training has stages, `stage` 2 is the recipe with its `stage_2` merged over it; `settings` come
    last. Raises UsageError for an unknown recipe or key (with the nearest known one), for invalid values, and
    for a stage the recipe lacks.
    """
    values = _read(recipe, ())
    second = values.pop("stage_2", None) if stage is not None else None
    if stage == 2:
        if not isinstance(second, dict):
            raise UsageError(f"Recipe {recipe} has no stage 2.", hint="Use one with a stage_2 section.")
        values = _merged(values, second)
    for setting in settings or []:
        _apply(values, setting)
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"Recipe {recipe}: {_explain(schema, error)}") from error


def _read(recipe: str, above: tuple[Path, ...]) -> dict[str, Any]:
    """The values of `recipe` over those of its bases; `above` are the recipes that build on it."""
    path = Path(recipe) if recipe.endswith((".yaml", ".yml")) else RECIPES_DIR / f"{recipe}.yaml"
    if above and not path.is_absolute():
        path = above[-1].parent / path
    if not path.is_file():
        near = difflib.get_close_matches(recipe, recipe_names(), n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Packaged recipes: {', '.join(recipe_names())}."
        raise UsageError(f"There is no recipe {recipe}.", hint=hint)
    if path in above:
        raise UsageError(f"Recipe {path} builds on itself.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"Recipe {path} is not readable YAML ({error}).") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UsageError(f"Recipe {path} holds a {type(values).__name__}, a mapping is needed.")
    base = values.pop("base", None)
    return values if base is None else _merged(_read(str(base), (*above, path)), values)


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` wins; groups are merged key by key. A group of another `kind` replaces the whole group."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict) and _same_kind(below, value):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged


def _same_kind(under: dict[str, Any], over: dict[str, Any]) -> bool:
    return "kind" not in over or "kind" not in under or under["kind"] == over["kind"]


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
        parts, fields = _place(schema, item["loc"])
        where = ".".join(parts)
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(parts[-1], fields, n=1)
            sentences.append(f"unknown key {where}" + (f", did you mean {near[0]}?" if near else "."))
        else:
            sentences.append(f"{where or 'recipe'}: {item['msg']}.")
    return " ".join(sentences)


def _place(schema: type[BaseModel], location: tuple[int | str, ...]) -> tuple[list[str], list[str]]:
    """The keys that lead to `location` as a recipe writes them, and the known keys beside the last one."""
    parts: list[str] = []
    fields = list(schema.model_fields)
    left = [str(part) for part in location]
    while left:
        parts.append(left.pop(0))
        if not left:
            break
        field = schema.model_fields.get(parts[-1])
        annotation = field.annotation if field else None
        # The members of a union may stand inside an Annotated.
        members = [getattr(member, "__origin__", member) for member in (annotation, *get_args(annotation))]
        groups = [group for group in members if isinstance(group, type) and issubclass(group, BaseModel)]
        if len(groups) > 1:
            # Pydantic puts the kind of a union's member into the location; a recipe has no such key.
            kind = left.pop(0)
            groups = [group for group in groups if group.model_fields["kind"].default == kind]
        if not groups:
            return parts + left, []
        schema, fields = groups[0], list(groups[0].model_fields)
    return parts, fields
