"""Whether tensors are the ones that are wanted, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from talkcli.engine.errors import InputError

_LISTED = 8


def misfits(tensors: Mapping[str, Tensor], wanted: Mapping[str, torch.Size | tuple[int, ...]]) -> list[str]:
    """What is missing, unknown or of another shape, one phrase each."""
    return [
        *(f"missing {name}" for name in wanted if name not in tensors),
        *(f"unknown {name}" for name in tensors if name not in wanted),
        *(
            f"{name} is {tuple(tensors[name].shape)} instead of {tuple(shape)}"
            for name, shape in wanted.items()
            if name in tensors and tensors[name].shape != torch.Size(shape)
        ),
    ]


def listed(details: Iterable[str]) -> str:
    """The first of the `details`, and how many more there are."""
    found = list(details)
    more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return "; ".join(found[:_LISTED]) + more


def check(problem: str, details: Sequence[str], hint: str | None = None) -> None:
    """Raise InputError with `problem` and the `details`, if there are any."""
    if details:
        raise InputError(f"{problem}: {listed(details)}.", hint=hint)


def check_fit(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str) -> None:
    """Raise InputError when `given` are not tensors for a network that has `wanted`.

    `source` begins the sentence: where the tensors come from and what they were meant for.
    """
    shapes = {name: value.shape for name, value in wanted.items()}
    hint = "Check that the file belongs to this network and to this size of it."
    check(source, misfits(given, shapes), hint)
