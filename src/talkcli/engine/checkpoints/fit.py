"""Checks that tensors have the wanted names and shapes, with messages that list the differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from talkcli.engine.errors import InputError

# Largest number of differences that a message lists.
_LISTED = 8


def misfits(tensors: Mapping[str, Tensor], wanted: Mapping[str, torch.Size | tuple[int, ...]]) -> list[str]:
    """Return a phrase for each tensor that is missing, unknown or of another shape than `wanted`."""
    return misshapen({name: tuple(value.shape) for name, value in tensors.items()}, wanted)


def misshapen(
    shapes: Mapping[str, tuple[int, ...]], wanted: Mapping[str, torch.Size | tuple[int, ...]]
) -> list[str]:
    """Return the same phrases as `misfits`, given the shapes of the tensors instead of the tensors."""
    return [
        *(f"missing {name}" for name in wanted if name not in shapes),
        *(f"unknown {name}" for name in shapes if name not in wanted),
        *(
            f"{name} is {shapes[name]} instead of {tuple(shape)}"
            for name, shape in wanted.items()
            if name in shapes and shapes[name] != tuple(shape)
        ),
    ]


def check_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    """Raise InputError for values that are NaN, infinite or complex; `source` begins the message."""
    wrong = [name for name, value in tensors.items() if value.is_complex() or not _is_finite(value)]
    check(f"{source} holds values that are not finite numbers in", wrong, "Copy or train it again.")


def _is_finite(value: Tensor) -> bool:
    # torch has no `isfinite` for floating-point types of one byte.
    wide = value.float() if value.is_floating_point() and value.element_size() == 1 else value
    return bool(wide.isfinite().all())


def listed(details: Iterable[str]) -> str:
    """Return the first `_LISTED` of the `details`, and the number of the others."""
    found = list(details)
    more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return "; ".join(found[:_LISTED]) + more


def check(problem: str, details: Sequence[str], hint: str | None = None) -> None:
    """Raise InputError with `problem` and the `details`, if there are any."""
    if details:
        raise InputError(f"{problem}: {listed(details)}.", hint=hint)


def check_fit(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str) -> None:
    """Raise InputError unless `given` has the names and shapes of the tensors `wanted`, and finite values.

    `source` begins the message: it names the file, and the weights that it should hold.
    """
    shapes = {name: value.shape for name, value in wanted.items()}
    hint = "Check that the file belongs to this network, in this size."
    check(source, misfits(given, shapes), hint)
    check_finite(given, source)
