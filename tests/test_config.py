from __future__ import annotations

from pathlib import Path

import pytest

from talkcli.config import load_recipe, recipe_names
from talkcli.engine.errors import UsageError
from talkcli.engine.types import Config


class Optim(Config):
    lr: float = 1e-3
    steps: int = 10


class Example(Config):
    name: str = "x"
    optim: Optim = Optim()


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    path = tmp_path / "example.yaml"
    path.write_text("optim:\n  steps: 20\n")
    return str(path)


def problem(recipe: str, settings: list[str] | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load_recipe(Example, recipe, settings)
    return caught.value


def test_recipes_hold_differences_and_settings_win(recipe: str) -> None:
    assert load_recipe(Example, recipe) == Example(optim=Optim(steps=20))
    loaded = load_recipe(Example, recipe, ["optim.lr=0.5", "name=a=b", "optim.steps=30"])
    assert loaded == Example(name="a=b", optim=Optim(lr=0.5, steps=30))


def test_an_empty_recipe_is_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert load_recipe(Example, str(tmp_path / "empty.yaml"), ["optim.lr=2"]) == Example(optim=Optim(lr=2))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("optim.step=3", "unknown key optim.step, did you mean steps?"),
        ("nane=y", "unknown key nane, did you mean name?"),
        ("zzzzzz=1", "unknown key zzzzzz."),
        ("optim.steps=many", "optim.steps"),
        ("optim.steps=1.5", "optim.steps"),
        ("optim=3", "optim"),
        ("optim.steps", "KEY=VALUE"),
        ("=3", "KEY=VALUE"),
        ("optim.lr=[", "not valid YAML"),
        ("optim.steps.deep=1", "steps holds a value"),
    ],
)
def test_wrong_settings_are_explained(recipe: str, setting: str, words: str) -> None:
    assert words in problem(recipe, [setting]).problem


@pytest.mark.parametrize("text", ["- a list\n", "a: [\n", "just text"])
def test_files_that_are_no_recipe(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    assert "bad.yaml" in problem(str(tmp_path / "bad.yaml")).problem


def test_unknown_recipes_get_the_nearest_name(tmp_path: Path) -> None:
    known = recipe_names()[0]
    assert problem(known[:-1] + "_").hint == f"Did you mean {known}?"
    assert "no recipe" in problem(str(tmp_path / "absent.yaml")).problem
