"""docs/methods/README.md shows what `talk methods --json` says, and that is so."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from talkcli.commands.animate import animate
from talkcli.engine.methods import METHODS, resolve
from talkcli.engine.performers.performer import Controls
from talkcli.engine.pipelines.list_methods import list_methods, speeds

ROOT = Path(__file__).resolve().parents[2]
# Settings of `talk animate` that belong to all methods; some refuse some.
COMMON = {"actor", "emotion", "emotion_from"}


def test_the_page_has_the_tables_of_today() -> None:
    script = [sys.executable, "examples/methods_table.py"]
    listed = json.dumps({"methods": list_methods()})
    made = subprocess.run(script, cwd=ROOT, input=listed, capture_output=True, text=True, check=True).stdout
    page = (ROOT / "docs" / "methods" / "README.md").read_text(encoding="utf-8")
    shown = page.split("<!-- tables -->\n")[1].split("<!-- end of tables -->")[0]
    assert shown == made
    assert all(f"[{name}](" in made for name in METHODS)


def test_every_generator_was_measured() -> None:
    measured = speeds()
    assert measured["speech_s"] == 10
    generators = {name for name, row in METHODS.items() if row.motion}
    assert set(measured["methods"]) == generators
    for row in list_methods():
        assert (
            bool(row["times_real_time"]) == (row["parameters"] is not None) == (row["method"] in generators)
        )


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.motion])
def test_controls_are_those_of_its_performer(name: str) -> None:
    row = METHODS[name]
    own = resolve(row.performer).controls if row.performer else Controls
    assert set(row.controls) - COMMON == {field.name for field in fields(own)}
    options = inspect.signature(animate).parameters
    assert set(row.controls) <= set(options)
