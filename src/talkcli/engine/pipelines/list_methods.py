"""The methods as a list for people and scripts: `talk methods`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from talkcli.engine.checkpoints.model_file import default_weights, read_header
from talkcli.engine.errors import TalkError
from talkcli.engine.methods import METHODS, training_command


def list_methods() -> list[dict[str, Any]]:
    """Describe every method by its row, the command that trains it, and the weights that came with talk.

    `weights` is the name of the embedded model where it is one of the method, else None.
    """
    embedded = _embedded()
    return [
        {
            "method": name,
            **asdict(row),
            "parts": list(row.parts),
            "command": training_command(name),
            "weights": "embedded" if name == embedded else None,
        }
        for name, row in METHODS.items()
    ]


def _embedded() -> str | None:
    """The method of the embedded model; None where the package came without it."""
    try:
        return read_header(default_weights()).method
    except TalkError:
        return None
