"""The list of methods for people and scripts: `talk methods`."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from talkcli.engine.checkpoints.model_file import read_header, shipped_weights
from talkcli.engine.errors import TalkError
from talkcli.engine.methods import METHODS, PARTS, SHIPPED, training_command


def list_methods() -> list[dict[str, Any]]:
    """Return the rows of all methods, ready for JSON.

    `command` trains the method, from the `parts` that it can be given; `needs` has them in words, each with
    the command that trains it. A generator turns its `inputs` into `motion`, as its `controls` say, which are
    parameters of `talk animate`. `parameters` is the number of its weights at the published size (None if
    nobody measured it), and `times_real_time` its speed by the setting on the machine of `speeds`. `weights`
    is the name of a model of the method that comes with talk, else None.
    """
    shipped = {_method(name): name for name in SHIPPED}
    measured = speeds()["methods"]
    return [
        {
            "method": name,
            "paper": row.paper,
            "page": row.page,
            "command": training_command(name),
            "recipe": row.recipe,
            "parts": list(row.parts),
            "needs": [_need(part, name) for part in row.parts],
            "stages": row.stages,
            "motion": row.motion,
            "inputs": list(row.inputs) if row.motion else [],
            "controls": list(row.controls),
            "parameters": measured[name]["parameters"] if name in measured else None,
            "times_real_time": measured[name]["times_real_time"] if name in measured else {},
            "weights": shipped.get(name),
        }
        for name, row in METHODS.items()
    ]


def speeds() -> dict[str, Any]:
    """Return the report of `talk bench generator --method all` that comes with talk (`make bench`)."""
    report = files("talkcli.engine.pipelines.bench").joinpath("speeds.json").read_text(encoding="utf-8")
    measured: dict[str, Any] = json.loads(report)
    return measured


def _need(part: str, method: str) -> dict[str, str | None]:
    """Return what a part is in words, and the command that trains it; None for published weights alone."""
    maker = PARTS[part].maker(method)
    return {"what": PARTS[part].what, "command": None if maker is None else training_command(maker)}


def _method(name: str) -> str | None:
    """Return the method of a model that comes with talk; None when the package came without it."""
    try:
        return read_header(shipped_weights(name)).method
    except TalkError:
        return None
