"""The data sets of published models of vertices, and the face at rest, which their files do not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.checkpoints.convert.published import Choices
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.template import NUM_VERTS, read_template
from talkcli.engine.types import Reporter
from talkcli.engine.wording import parameter

_GIVE = "Give `template`: templates.pkl of the data set, or a .ply, .obj, .npy or motion file of its face."


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


def possible_rates(num_values: int) -> dict[str, dict[str, Any]]:
    """Return `rates` of every data set by its name; those whose faces have `num_values` numbers come first.

    The others are possible, since `dataset` may name one for any number.
    """
    names = sorted(DATA_SETS, key=lambda name: 3 * DATA_SETS[name].num_verts != num_values)
    return {name: rates(name) for name in names}


def described(name: str, num_values: int, model: str, what: str) -> Meta:
    """Return the description of a model with `num_values` numbers a frame.

    Args:
        name: A key of `DATA_SETS`.
        num_values: Numbers of a frame.
        model: Name of the model, as its authors write it.
        what: The files, such as "checkpoint".
    """
    data_set = DATA_SETS[name]
    return Meta(
        head=data_set.topology,
        channels=(),
        num_verts=num_values // 3,
        fps=data_set.fps,
        trained_on=f"official {model} {what}, {data_set.title}",
        licence=f"see the {model} authors' terms: their code is MIT, the weights were trained on "
        f"{data_set.title}, research use",
    )


def at_rest(meta: Meta, template: str | None, reporter: Reporter) -> Float[Tensor, "verts 3"]:
    """Return the face at rest: that of the template, else that of the user's head of this topology.

    Args:
        meta: Description of a model of vertices.
        template: A file, as `read_template` takes it; None for the head's.
        reporter: Is told which subject is taken.

    Raises:
        AssetError: When there is neither.
        UsageError: When the topology has no head.
        InputError: For a template that is none, or has another number of vertices.
    """
    topology = meta.head if NUM_VERTS.get(meta.head) == meta.num_verts else None
    given = None if template is None else read_template([template], topology, reporter)
    if given is not None:
        face, where = torch.from_numpy(given.vertices), given.name
    elif meta.head == "flame":
        try:
            face, where = torch.tensor(load_head("flame").template), "The head flame"
        except AssetError as error:
            raise AssetError(
                f"The checkpoint does not hold the face at rest, and there is no head to take it from: "
                f"{error.problem}",
                hint=" ".join(filter(None, (_GIVE, error.hint))),
            ) from error
    else:
        raise UsageError(
            f"The checkpoint does not hold the face at rest of the topology {meta.head}.", hint=_GIVE
        )
    if len(face) != meta.num_verts:
        raise InputError(
            f"{where} has {len(face)} vertices at rest, the checkpoint makes {meta.num_verts}.",
            hint="Give `template` a face of the data set.",
        )
    return face.to(torch.float32)
