from __future__ import annotations

import os
import time
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


def test_another_kind_of_a_group_takes_nothing_over_from_the_recipe(tmp_path: Path) -> None:
    path = str(_write(tmp_path, one="name: one\nsound: {kind: tone, pitch: 3}\n") / "one.yaml")
    assert load_recipe(Example, path, ["sound.kind=noise"]).sound == Noise()
    pink = load_recipe(Example, path, ["sound.colour=pink", "sound.kind=noise"]).sound
    assert pink == Noise(colour="pink")
    assert load_recipe(Example, path, ["sound.kind=tone"]).sound == Tone(pitch=3)


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


HOSTILE = {
    "date": "optim: {steps: 2001-99-99}",
    "real-date": "optim: {steps: 2001-12-14}",
    "tag-empty": 'optim: {steps: !!int ""}',
    "tag-binary": "name: !!binary aGVsbG8=",
    "tag-python": "name: !!python/object/apply:os.system [ls]",
    "tag-set": "optim: !!set {a, b}",
    "tag-own": "optim: !thing {a: 1}",
    "digits": f"optim: {{steps: {'9' * 5000}}}",
    "digits-float": f"optim: {{lr: {'9' * 5000}.0}}",
    "exponent": "optim: {lr: 1.0e+400}",
    "infinity": "optim: {lr: .inf}",
    "nan": "optim: {lr: .nan}",
    "bool-for-int": "optim: {steps: true}",
    "yes-for-int": "optim: {steps: yes}",
    "bool-for-float": "optim: {lr: true}",
    "text-for-int": "optim: {steps: '3'}",
    "float-for-int": "optim: {steps: 2.5}",
    "list-for-int": "optim: {steps: [3]}",
    "map-for-int": "optim: {steps: {a: 3}}",
    "null-for-int": "optim: {steps: }",
    "number-for-text": "name: 3",
    "deep-list": "name: " + "[" * 100_000,
    "deep-list-closed": "name: " + "[" * 40_000 + "]" * 40_000,
    "deep-map": "{a: " * 20_000,
    "deep-block": "- " * 40_000,
    "deep-indent": "\n".join(" " * depth + "a:" for depth in range(400)),
    "deep-keys": "? " * 40_000,
    "laughs": "a: &a {x: 1}\n" + "\n".join(f"a{n}: &b{n} {{<<: [*a]}}" for n in range(30)),
    "laughs-lists": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "anchor-to-itself": "a: &a [*a]",
    "merge": "<<: {name: x}",
    "unknown-alias": "a: *nothing",
    "twice": "name: x\nname: y",
    "twice-deep": "optim: {steps: 1, steps: 2}",
    "key-list": "? [a, b]\n: 1",
    "key-map": "{a: 1}: 2",
    "key-number": "1: 2",
    "key-null": "~: 2",
    "two-documents": "name: x\n---\nname: y",
    "tabs": "optim:\n\t- x",
    "null-byte": "name: a\0b",
    "unclosed": "name: 'x",
    "directive": "%YAML 9.9\n---\nname: x",
    "surrogate": 'name: "\\ud800"',
    "just-a-number": "3",
    "unknown-keys": "\n".join(f"key{n}: 1" for n in range(3000)),
    "long-key": "k" * 5000 + ": 1",
    "base-list": "base: [a]",
    "base-number": "base: 3",
    "base-null-byte": 'base: "a\\0b.yaml"',
    "base-long": f"base: {'b' * 5000}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_recipes_get_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text, encoding="utf-8")
    started_s = time.perf_counter()
    error = problem(str(path))
    assert time.perf_counter() - started_s < 3
    assert (
        "r.yaml" in error.problem
        or "There is no recipe" in error.problem
        or "cannot be read" in error.problem
    )
    assert "\n" not in error.problem
    assert len(error.problem) <= 2000


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("optim.steps=2001-99-99", "valid integer"),
        ("optim.steps=!!int", "tags (tag:yaml.org,2002:int) are not read"),
        ("optim.steps=" + "9" * 5000, "too large a number"),
        ("optim.steps=-" + "9" * 5000, "too large a number"),
        ("optim.lr=.inf", "no finite number"),
        ("optim.lr=-.INF", "no finite number"),
        ("optim.lr=.nan", "no finite number"),
        ("optim.lr=nan", "valid number"),
        ("optim.lr=1e999", "too large a number"),
        ("optim.lr=yes", "valid number"),
        ("optim.lr=[" + "[" * 9000, "nested more than 32 deep"),
        ("optim.lr=*a", "aliases"),
        ("optim.lr={<<: {}}", "merges"),
        ("optim..lr=1", "KEY=VALUE"),
        (".=1", "KEY=VALUE"),
        (".lr=1", "KEY=VALUE"),
        ("optim.=1", "KEY=VALUE"),
        ("optim.l\x1b[31mr=1", "KEY=VALUE"),
        ("optim.\udcff=1", "KEY=VALUE"),
        ("name=\udcff", "surrogate"),
        ("", "KEY=VALUE"),
        ("=", "KEY=VALUE"),
        ("name.first.second=1", "name holds a value"),
        (".".join("a" * 5000) + "=1", "groups deep"),
        ("größe=1", "unknown key größe"),
        ("base=other", "unknown key base"),
        ("optim=" + "x" * 200_000, "characters, more than"),
    ],
)
def test_hostile_settings_get_a_sentence(recipe: str, value: str, words: str) -> None:
    if value.startswith("name.first"):
        assert words in problem(recipe, ["name=x", value]).problem
    else:
        assert words in problem(recipe, [value]).problem


def test_numbers_as_people_write_them(recipe: str) -> None:
    for text, number in {
        "1e-3": 1e-3,
        "1E3": 1000.0,
        ".5": 0.5,
        "3": 3.0,
        "-2.": -2.0,
        "+1_000": 1000.0,
    }.items():
        assert load_recipe(Example, recipe, [f"optim.lr={text}"]).optim.lr == number
    assert load_recipe(Example, recipe, ["optim.steps=010"]).optim.steps == 10
    assert load_recipe(Example, recipe, ['name="3"']).name == "3"
    assert load_recipe(Example, recipe, ["name=2001-12-14"]).name == "2001-12-14"


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "huge.yaml").write_bytes(b"# " + b"x" * 200_000)
    (tmp_path / "utf16.yaml").write_bytes("name: x".encode("utf-16"))
    for name, words in {
        "pipe": "a device or pipe",
        "folder": "a folder",
        "loop": "no recipe",
        "zero": "a device or pipe",
        "binary": "not text in UTF-8",
        "huge": "more than 100000 bytes",
        "utf16": "not text in UTF-8",
    }.items():
        assert words in problem(str(tmp_path / f"{name}.yaml")).problem
    assert "cannot be read" in problem("x" * 5000 + ".yaml").problem


def test_bases_end(tmp_path: Path) -> None:
    folder = _write(
        tmp_path, round="base: x/../round.yaml\n", **{f"r{n}": f"base: r{n + 1}.yaml" for n in range(40)}
    )
    (folder / "x").mkdir()
    assert "builds on itself" in problem(str(folder / "round.yaml")).problem
    assert "more than 16 others" in problem(str(folder / "r0.yaml")).problem
    for wrong in ("3", "[a]", "x"):
        path = _write(tmp_path, staged=f"stage_2: {wrong}\n") / "staged.yaml"
        with pytest.raises(UsageError, match="stage_2 holds a"):
            load_recipe(Example, str(path), stage=1)


def test_only_some_of_many_mistakes_are_told(tmp_path: Path) -> None:
    path = _write(tmp_path, many="\n".join(f"key{n}: 1" for n in range(300))) / "many.yaml"
    error = problem(str(path)).problem
    assert error.count("unknown key") == 5
    assert error.endswith("And 295 more.")
