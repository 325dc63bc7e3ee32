"""`talk train-judge`: the recipe names the judge."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from talkcli.app import app
from talkcli.commands import train_judge
from talkcli.engine.errors import UsageError

JUDGES = [
    ("sync", "sync"), ("ffd", "ffd"), ("sync.debug", "sync"),
    ("sync-image", "sync_image"), ("sync_image.debug", "sync_image"),
    ("emotion_image", "emotion_image"), ("emotion-image", "emotion_image"),
]  # fmt: skip


@pytest.mark.parametrize(("recipe", "method"), JUDGES)
def test_the_recipe_names_the_method(recipe: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(
        train_judge, "run_training", lambda name, manifest, **given: asked.update(given, method=name)
    )
    arguments = ["train-judge", "data", "--recipe", recipe, "--out", "run", "--set", "train.steps=3"]
    CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert (asked["method"], asked["recipe"]) == (method, recipe.replace("-", "_"))
    assert asked["settings"] == ["train.steps=3"]


@pytest.mark.parametrize("recipe", ["dee", "syncnet", "mine.yaml"])
def test_other_recipes_are_refused(recipe: str) -> None:
    result = CliRunner().invoke(app, ["train-judge", "data", "--recipe", recipe, "--out", "run"])
    assert isinstance(result.exception, UsageError)
    assert "sync, sync_image, ffd, emotion_image" in str(result.exception.hint)
