"""The list of methods for people and scripts: `talk methods`."""

from __future__ import annotations

from typing import Any

from talkcli.engine.checkpoints.model_file import default_weights, read_header
from talkcli.engine.errors import TalkError
from talkcli.engine.methods import EMBEDDED, METHODS, training_command


def list_methods() -> list[dict[str, Any]]:
    """Return the rows of all methods, each with the command that trains it and the weights that come with
    talk.

    `weights` is the name of the embedded model if that is a model of the method, else None.
    """
    embedded = _embedded()
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
            "weights": EMBEDDED if name == embedded else None,
        }
        for name, row in METHODS.items()
    ]


def _embedded() -> str | None:
    """Return the method of the embedded model; None when the package came without it."""
    try:
        return read_header(default_weights()).method
    except TalkError:
        return None
