"""Every packaged recipe loads strictly, and holds no line that changes nothing."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from talkcli.config import load_recipe, recipe_names
from talkcli.engine.assets import RECIPES_DIR
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import METHODS
from talkcli.engine.pipelines import recipes, train

SCHEMAS: dict[str, type[recipes.Recipe]] = {
    "fer": recipes.FerRecipe,
    "dee": recipes.DeeRecipe,
    "phones": recipes.PhonesRecipe,
    **dict.fromkeys(train.PRIORS, recipes.PriorRecipe),
    "deeptalk": recipes.DeepTalkRecipe,
}
# Table 4 of the paper, and its exchange of emotions.
ABLATIONS = {f"deeptalk-{name}" for name in ("vae", "vqvae", "no-emotion", "no-lip", "swap")}


def _schema(name: str) -> type[recipes.Recipe]:
    return SCHEMAS[name.replace("-", ".").partition(".")[0]]


def _stages(name: str) -> tuple[int | None, ...]:
    return (1, 2) if _schema(name) is recipes.DeepTalkRecipe else (None,)


def _loaded(name: str, recipe: str) -> list[dict[str, Any] | None]:
    """The values of each stage; None for one that the recipe lacks or that makes no sense."""
    found: list[dict[str, Any] | None] = []
    for stage in _stages(name):
        try:
            found.append(load_recipe(_schema(name), recipe, stage=stage).model_dump(mode="json"))
        except UsageError:
            found.append(None)
    return found


def _leaves(values: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in values.items():
        found += _leaves(value, (*path, key)) if isinstance(value, dict) else [(*path, key)]
    return found


def test_every_method_has_its_recipes() -> None:
    for method in METHODS.values():
        assert {method.recipe, f"{method.recipe}.debug"} <= set(recipe_names())
    for published in ("fer", "dee", "th_vqvae", "deeptalk"):
        assert f"{published}-released" in recipe_names()
    assert set(recipe_names()) >= ABLATIONS


@pytest.mark.parametrize("name", recipe_names())
def test_loads_strictly(name: str) -> None:
    written = yaml.safe_load((RECIPES_DIR / f"{name}.yaml").read_text(encoding="utf-8"))
    first, *second = _loaded(name, name)
    assert first is not None
    assert "stage_2" not in written or second[0] is not None


@pytest.mark.parametrize("name", recipe_names())
def test_every_line_changes_something(name: str, tmp_path: Path) -> None:
    written = yaml.safe_load((RECIPES_DIR / f"{name}.yaml").read_text(encoding="utf-8"))
    whole = _loaded(name, name)
    for path in _leaves(written):
        if path[-1] == "kind":
            continue
        without = copy.deepcopy(written)
        node = without
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]
        file = tmp_path / "without.yaml"
        file.write_text(yaml.safe_dump(without), encoding="utf-8")
        assert _loaded(name, str(file)) != whole, f"{'.'.join(path)} changes nothing"


@pytest.mark.parametrize("name", sorted(ABLATIONS))
def test_an_ablation_is_a_few_lines_on_the_paper(name: str) -> None:
    text = (RECIPES_DIR / f"{name}.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 10
    assert yaml.safe_load(text)["base"].startswith("deeptalk")
