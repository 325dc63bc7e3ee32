from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from talkcli.config import load_recipe, recipe_names
from talkcli.engine.errors import UsageError
from talkcli.engine.types import Config


class Optim(Config):
    lr: float = 1e-3
    steps: int = 10


class Tone(Config):
    kind: Literal["tone"] = "tone"
    pitch: float = 1.0


class Noise(Config):
    kind: Literal["noise"] = "noise"
    colour: str = "white"


class Example(Config):
    name: str = "x"
    optim: Optim = Optim()
    sound: Annotated[Tone | Noise, Field(discriminator="kind")] = Tone()


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


def _write(folder: Path, **recipes: str) -> Path:
    for name, text in recipes.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_a_recipe_builds_on_another(tmp_path: Path) -> None:
    folder = _write(
        tmp_path,
        first="name: one\noptim: {lr: 0.5, steps: 20}\nsound: {kind: tone, pitch: 3}\n",
        second="base: first.yaml\noptim: {steps: 30}\n",
        third=f"base: {tmp_path / 'second.yaml'}\nname: three\nsound: {{kind: noise}}\n",
    )
    # A group of another kind takes nothing over: `pitch` means nothing to noise.
    wanted = Example(name="three", optim=Optim(lr=0.5, steps=30), sound=Noise())
    assert load_recipe(Example, str(folder / "third.yaml")) == wanted


def test_a_second_stage_is_merged_over_the_first(tmp_path: Path) -> None:
    folder = _write(
        tmp_path,
        both="optim: {lr: 0.5}\nstage_2:\n  optim: {steps: 3}\n  name: later\n",
        child="base: both.yaml\nstage_2: {name: mine}\n",
    )
    child = str(folder / "child.yaml")
    assert load_recipe(Example, child, stage=1) == Example(optim=Optim(lr=0.5))
    assert load_recipe(Example, child, stage=2) == Example(name="mine", optim=Optim(lr=0.5, steps=3))
    set_last = load_recipe(Example, child, ["optim.steps=7"], stage=2)
    assert set_last.optim.steps == 7


def test_bases_and_stages_that_do_not_exist(tmp_path: Path, recipe: str) -> None:
    folder = _write(tmp_path, a="base: b.yaml\n", b="base: a.yaml\n", c="base: nowhere\n")
    assert "builds on itself" in problem(str(folder / "a.yaml")).problem
    assert "no recipe nowhere" in problem(str(folder / "c.yaml")).problem
    with pytest.raises(UsageError, match="no stage 2"):
        load_recipe(Example, recipe, stage=2)
    # A method without stages does not pass one over.
    staged = _write(tmp_path, d="stage_2: {name: later}\n") / "d.yaml"
    assert "unknown key stage_2" in problem(str(staged)).problem


def test_unknown_keys_inside_a_choice_are_named_as_written(recipe: str) -> None:
    assert (
        "unknown key sound.colur, did you mean colour?"
        in problem(recipe, ["sound.kind=noise", "sound.colur=pink"]).problem
    )
    assert "sound" in problem(recipe, ["sound.kind=nothing"]).problem
