"""The list of methods for people and scripts: `talk methods`."""

from __future__ import annotations

from typing import Any

from talkcli.engine.checkpoints.model_file import read_header, shipped_weights
from talkcli.engine.errors import TalkError
from talkcli.engine.methods import METHODS, SHIPPED, training_command


def list_methods() -> list[dict[str, Any]]:
    """Return the rows of all methods, each with the command that trains it and the weights that come with
    talk.

    `weights` is the name of a model of the method that comes with talk, else None.
    """
    shipped = {_method(name): name for name in SHIPPED}
    return [
        {
            "method": name,
            "paper": row.paper,
            "page": row.page,
            "command": training_command(name),
            "recipe": row.recipe,
            "parts": list(row.parts),
            "stages": row.stages,
            "motion": row.motion,
            "weights": shipped.get(name),
        }
        for name, row in METHODS.items()
    ]


def _method(name: str) -> str | None:
    """Return the method of a model that comes with talk; None when the package came without it."""
    try:
        return read_header(shipped_weights(name)).method
    except TalkError:
        return None
