"""The data sets of published models of vertices, and the face at rest, which their files do not hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.checkpoints.convert.published import Choices
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.readers.npy import read_floats
from talkcli.engine.types import VertexMotion
from talkcli.engine.wording import parameter

_GIVE = "Give `template` a motion file of vertices, or a .npy (verts, 3)."


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set as published models were trained on it."""

    title: str
    topology: str
    num_verts: int
    fps: int
    speakers: tuple[str, ...]
    """Training speakers in the order of their styles."""


DATA_SETS = {
    "vocaset": DataSet(
        title="VOCASET",
        topology="flame",
        num_verts=5023,
        fps=30,
        speakers=tuple(
            f"FaceTalk_{name}_TA"
            for name in (
                "170728_03272", "170904_00128", "170725_00137", "170915_00223", "170811_03274",
                "170913_03279", "170904_03276", "170912_03278",
            )
        ),
    ),
    "biwi": DataSet(
        title="BIWI",
        topology="biwi",
        num_verts=23_370,
        fps=25,
        speakers=("F2", "F3", "F4", "M3", "M4", "M5"),
    ),
}  # fmt: skip


def data_set_of(num_values: int, choices: Choices) -> str:
    """Return the name of the data set of a model with `num_values` numbers a frame.

    Raises UsageError when it was not given and the number is that of none.
    """
    if choices.dataset is not None:
        if choices.dataset not in DATA_SETS:
            known = ", ".join(DATA_SETS)
            raise UsageError(f"{parameter('dataset', choices.dataset)} is unknown.", hint=f"Known: {known}.")
        return choices.dataset
    for name, data_set in DATA_SETS.items():
        if 3 * data_set.num_verts == num_values:
            return name
    raise UsageError(
        f"The checkpoint makes {num_values} values a frame, which is no known data set.",
        hint=f"Give `dataset`: one of {', '.join(DATA_SETS)}.",
    )


def rates(name: str) -> dict[str, Any]:
    """Return the settings of time that the published code has for a data set, by their names in configs."""
    fps = DATA_SETS[name].fps
    return {"fps": fps, "period": fps, "per_frame": 2 if name == "biwi" else 1}


def possible_rates(num_values: int) -> list[dict[str, Any]]:
    """Return `rates` of every data set whose models may have `num_values` numbers a frame."""
    fitting = [name for name, data_set in DATA_SETS.items() if 3 * data_set.num_verts == num_values]
    return [rates(name) for name in fitting or DATA_SETS]


def at_rest(data_set: DataSet, num_values: int, choices: Choices) -> Float[Tensor, "verts 3"]:
    """Return the face at rest: that of the chosen template, else that of the user's head of this topology.

    Raises AssetError when there is neither, and InputError for a template with another number of vertices.
    """
    if choices.template is not None:
        face, where = _read(choices.template), str(choices.template)
    elif data_set.topology == "flame":
        try:
            face, where = np.asarray(load_head("flame").template), "The head flame"
        except AssetError as error:
            raise AssetError(
                f"The checkpoint does not hold the face at rest, and there is no head to take it from: "
                f"{error.problem}",
                hint=" ".join(filter(None, (_GIVE, error.hint))),
            ) from error
    else:
        raise UsageError(
            f"The checkpoint does not hold the face at rest of {data_set.title}.",
            hint=_GIVE,
        )
    if 3 * len(face) != num_values:
        raise InputError(
            f"{where} has {len(face)} vertices at rest, the checkpoint makes {num_values / 3:g}.",
            hint="Give `template` a face of the data set.",
        )
    return torch.from_numpy(face.astype(np.float32))


def _read(path: Path) -> Float[np.ndarray, "verts 3"]:
    if path.suffix == ".npy":
        face = read_floats(path)
        if face.ndim != 2 or face.shape[1] != 3:
            raise InputError(f"{path} is {face.shape}, (verts, 3) is needed.")
        return face
    motion, _ = read_any_motion(path)
    if not isinstance(motion, VertexMotion):
        raise InputError(f"{path} holds coefficients, a motion of vertices is needed.")
    return motion.neutral
