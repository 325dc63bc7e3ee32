"""Every packaged recipe loads strictly, and says only what differs from the defaults."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from talkcli.config import load_recipe, recipe_names
from talkcli.engine.assets import RECIPES_DIR
from talkcli.engine.methods import METHODS
from talkcli.engine.pipelines import train

SCHEMAS = {"dee": train.DeeRecipe, "th_vqvae": train.ThVqvaeRecipe, "deeptalk": train.DeepTalkRecipe}
RECIPES = [name for name in recipe_names() if name.replace("-", ".").partition(".")[0] in SCHEMAS]


def _leaves(values: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for key, value in values.items():
        found += _leaves(value, (*path, key)) if isinstance(value, dict) else [((*path, key), value)]
    return found


def test_every_method_has_its_recipes() -> None:
    wanted = {f"{method.recipe}{size}" for method in METHODS.values() for size in ("", "-small", ".debug")}
    assert wanted == set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_loads_strictly_and_holds_only_differences(name: str) -> None:
    schema = SCHEMAS[name.replace("-", ".").partition(".")[0]]
    load_recipe(schema, name)
    defaults = schema().model_dump(mode="json")
    written = yaml.safe_load((RECIPES_DIR / f"{name}.yaml").read_text(encoding="utf-8"))
    for path, value in _leaves(written):
        default: Any = defaults
        for key in path:
            default = default[key]
        assert value != default, f"{'.'.join(path)} is the default"
