"""Model files by name: a model that comes with talk, a model file, or a run folder."""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.checkpoints.model_file import model_file, shipped_weights
from talkcli.engine.errors import InputError
from talkcli.engine.methods import SHIPPED


def weights_of(model_name: str, *, field: str = "model", made_by: str = "talk train-gen") -> Path:
    """Return the path of the model file that `model_name` names.

    Args:
        model_name: One of the `SHIPPED` models, a model file, or a run folder.
        field: Parameter that named the model, for the hint of the error.
        made_by: Command that makes such models, for the same hint.

    Raises:
        AssetError: When the package came without that model.
        InputError: When there is no such file.
    """
    path = shipped_weights(model_name) if model_name in SHIPPED else model_file(Path(model_name))
    if not path.is_file():
        raise InputError(
            f"There is no model file {path}.",
            hint=f"Give `{field}` a run folder or model file of {made_by}, or leave it out.",
        )
    return path
