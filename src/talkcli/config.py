"""Recipes: YAML files of differences, changed by `--set a.b=1`, and validated into a frozen pydantic model.

`base: NAME` makes a recipe start from the settings of another one (a packaged name, or a path relative to the
recipe). `stage_2:` holds the settings in which the second stage of training differs from the first. talk
merges settings key by key, so a recipe needs to name only what it changes. Of several values for one key, the
last in this order counts: the base, the recipe, its `stage_2`, then every `--set` in the order of the command
line.
"""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from talkcli.engine.assets import RECIPES_DIR
from talkcli.engine.errors import UsageError
from talkcli.engine.files import real_path
from talkcli.engine.readers.yaml_text import parse_yaml

Model = TypeVar("Model", bound=BaseModel)

# Pairs of keys that exclude each other: setting one of them removes an earlier value of the other.
_ALTERNATIVES = {"steps": "epochs", "epochs": "steps"}
# Largest size of a recipe's file in bytes; far above that of any recipe.
_LONGEST_BYTES = 100_000
# Largest number of recipes that build on one another; far above that of any recipe.
_MOST_BASES = 16
# Largest number of nested groups in the key of a --set.
_DEEPEST_KEY = 8
# Largest number of mistakes that one error message lists.
_MOST_SENTENCES = 5


def recipe_names() -> list[str]:
    """Return the names of the packaged recipes, sorted."""
    return sorted(path.name.removesuffix(".yaml") for path in RECIPES_DIR.glob("*.yaml"))


def load_recipe(
    schema: type[Model], recipe: str, settings: list[str] | None = None, *, stage: int | None = None
) -> Model:
    """Return the validated config of a recipe.

    Args:
        schema: Model of the config.
        recipe: Packaged name, or path that ends in .yaml or .yml.
        settings: `a.b=value` to change in the recipe, in this order, but kinds of groups first.
        stage: Stage of training, where training has stages; stage 2 merges the recipe's `stage_2` over it.

    Raises:
        UsageError: For a recipe that is unknown, unreadable or of another command, for an unknown key (the
            message names the nearest known one), for invalid values, and for a stage that the recipe lacks.
    """
    written = _read(recipe, ())
    _check_command(schema, recipe, written)
    values = _merged({}, written)
    second = values.pop("stage_2", None) if stage is not None else None
    if second is not None and not isinstance(second, dict):
        raise UsageError(f"Recipe {recipe}: stage_2 holds a {_kind(second)}, a mapping is needed.")
    if stage == 2:
        if second is None:
            raise UsageError(f"Recipe {recipe} has no stage 2.", hint="Use one with a stage_2 section.")
        values = _merged(values, second)
    # Kinds of groups first, since another kind replaces what the recipe says in its group.
    for setting in sorted(
        settings or [], key=lambda setting: not setting.partition("=")[0].endswith(".kind")
    ):
        _apply(values, setting)
    try:
        return _validated(schema, values)
    except ValidationError as error:
        raise UsageError(f"Recipe {recipe}: {_explain(schema, error)}") from error


def _validated(schema: type[Model], values: dict[str, Any]) -> Model:
    """Validate strictly, as JSON: a list may replace a tuple, but neither `true` nor text
    replaces a number.
    """
    return schema.model_validate_json(json.dumps(values), strict=True)


def _check_command(schema: type[BaseModel], recipe: str, values: dict[str, Any]) -> None:
    """Raise UsageError when a recipe belongs to another training command than its schema.

    The name of a packaged recipe tells its command. Any other recipe belongs to the command that knows most
    of its keys.

    Args:
        schema: Model of the config that the running command reads.
        recipe: Packaged name or path.
        values: Content of the recipe.
    """
    from talkcli.engine.pipelines.training.recipes import Recipe, commands, recipe_schema

    if not issubclass(schema, Recipe):
        return
    known = commands()
    own = known.get(schema)
    if own is None:
        return
    if recipe in recipe_names():
        meant = known[recipe_schema(re.split("[-.]", recipe)[0])]
    else:
        first = {key: value for key, value in values.items() if key != "stage_2"}
        unknown = {command: _num_unknown(each, first) for each, command in known.items()}
        meant = min(unknown, key=lambda command: (unknown[command], command != own))
    if meant != own:
        raise UsageError(
            f"Recipe {recipe} is for talk {meant}, not for talk {own}.",
            hint=f"Run talk {meant}, or leave --recipe out.",
        )


def _num_unknown(schema: type[BaseModel], values: dict[str, Any]) -> int:
    """Return the number of keys and kinds in `values` that `schema` does not know."""
    try:
        _validated(schema, values)
    except ValidationError as error:
        return sum(item["type"] in ("extra_forbidden", "union_tag_invalid") for item in error.errors())
    return 0


def _read(recipe: str, above: tuple[Path, ...]) -> dict[str, Any]:
    """Return the values of `recipe` merged over those of its bases; `above` are the recipes that
    build on it.
    """
    try:
        path = _file(recipe, above)
        with path.open("rb") as file:
            content = file.read(_LONGEST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"Recipe {recipe} cannot be read ({error.strerror}).") from error
    if len(content) > _LONGEST_BYTES:
        raise UsageError(f"Recipe {path} has more than {_LONGEST_BYTES} bytes, which no recipe needs.")
    try:
        values = parse_yaml(content.decode())
    except UnicodeDecodeError as error:
        raise UsageError(f"Recipe {path} is not text in UTF-8 (byte {error.start} is invalid).") from error
    except ValueError as error:
        raise UsageError(f"Recipe {path} is not in the YAML of recipes: {error}.") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UsageError(f"Recipe {path} holds a {_kind(values)}, a mapping is needed.")
    base = values.pop("base", None)
    if base is None:
        return values
    if not isinstance(base, str):
        raise UsageError(f"Recipe {path}: base holds a {_kind(base)}, a name or path is needed.")
    return _merged(_read(base, (*above, path)), values)


def _file(recipe: str, above: tuple[Path, ...]) -> Path:
    """Return the path of `recipe`, which may be relative to the recipe that builds on it.

    Raises UsageError when there is no such file, and when it is one of `above`.
    """
    path = Path(recipe) if recipe.endswith((".yaml", ".yml")) else RECIPES_DIR / f"{recipe}.yaml"
    if above and not path.is_absolute():
        path = above[-1].parent / path
    if not path.exists():
        near = difflib.get_close_matches(recipe[:100], recipe_names(), n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Packaged recipes: {', '.join(recipe_names())}."
        raise UsageError(f"There is no recipe {recipe}.", hint=hint)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or pipe"
        raise UsageError(f"Recipe {path} is {kind}, a YAML file is needed.")
    path = real_path(path)
    if path in above:
        raise UsageError(f"Recipe {path} builds on itself.")
    if len(above) == _MOST_BASES:
        raise UsageError(f"Recipe {above[0]} builds on more than {_MOST_BASES} others, one on another.")
    return path


def _kind(value: Any) -> str:
    return {"dict": "mapping", "str": "text"}.get(type(value).__name__, type(value).__name__)


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return `under` with the values of `over`, which take precedence; groups are merged key by key.

    A group with another `kind` replaces the whole group.
    """
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict) and _same_kind(below, value):
            merged[key] = _merged(below, value)
        else:
            if _ALTERNATIVES.get(key) not in over:
                _take_back(merged, key, value)
            merged[key] = value
    return merged


def _take_back(values: dict[str, Any], key: str, value: Any) -> None:
    """Remove an earlier value of the alternative to `key`."""
    if key in _ALTERNATIVES and value is not None:
        values.pop(_ALTERNATIVES[key], None)


def _same_kind(under: dict[str, Any], over: dict[str, Any]) -> bool:
    return "kind" not in over or "kind" not in under or under["kind"] == over["kind"]


def _apply(values: dict[str, Any], setting: str) -> None:
    """Put one `a.b=value` into `values`; a group, or another kind of it, replaces the whole group."""
    key, equals, text = setting.partition("=")
    *parents, leaf = key.split(".")
    if not equals or not all((*parents, leaf)) or not key.isprintable():
        raise UsageError(f"--set {setting} is not of the form KEY=VALUE.")
    if len(parents) >= _DEEPEST_KEY:
        raise UsageError(f"--set {setting}: no key lies more than {_DEEPEST_KEY} groups deep.")
    try:
        value = parse_yaml(text)
    except ValueError as error:
        raise UsageError(f"--set {setting}: the value is not valid YAML ({error}).") from error
    node = values
    for parent in parents:
        node = node.setdefault(parent, {})
        if not isinstance(node, dict):
            raise UsageError(f"--set {setting}: {parent} holds a value, not a group of values.")
    if leaf == "kind" and node.get(leaf, value) != value:
        node.clear()
    _take_back(node, leaf, value)
    node[leaf] = value


def _explain(schema: type[BaseModel], error: ValidationError) -> str:
    sentences = []
    for item in error.errors(include_url=False)[:_MOST_SENTENCES]:
        parts, fields = _place(schema, item["loc"])
        where = ".".join(parts)
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(parts[-1][:100], fields, n=1)
            sentences.append(f"unknown key {where}" + (f", did you mean {near[0]}?" if near else "."))
        else:
            sentences.append(f"{where or 'recipe'}: {item['msg'].removeprefix('Value error, ')}.")
    more = error.error_count() - len(sentences)
    return " ".join(sentences) + (f" And {more} more." if more else "")


def _place(schema: type[BaseModel], location: tuple[int | str, ...]) -> tuple[list[str], list[str]]:
    """Return the keys that lead to `location`, as a recipe writes them, and the known keys beside the last
    one.
    """
    parts: list[str] = []
    fields = list(schema.model_fields)
    left = [str(part) for part in location]
    while left:
        parts.append(left.pop(0))
        if not left:
            break
        field = schema.model_fields.get(parts[-1])
        annotation = field.annotation if field else None
        # The members of a union may be inside an Annotated.
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
