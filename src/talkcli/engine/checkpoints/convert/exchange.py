"""Conversion of tensors between the official names and ours, in both directions by one layout.

A missing tensor, an unknown one or one of another shape is an error that lists it; no tensor is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.layout import Entry, Layout
from talkcli.engine.checkpoints.convert.unwrap import old_spelling
from talkcli.engine.checkpoints.fit import check, misfits

Tensors = Mapping[str, Tensor]

# Largest absolute difference of position codes: rounding a frequency by one unit in the last place changes
# the sine of step 500 by a few 1e-5.
_POSITION_TOLERANCE = 1e-4


class Received(NamedTuple):
    """Tensors of an official file under our names."""

    weights: dict[str, Tensor]
    unused: dict[str, Tensor]
    """Tensors by official name that talk does not read and that differ from those `give` would write."""


def receive(layout: Layout, official: Tensors, where: str) -> Received:
    """Convert the tensors `official`, which `unwrap` returned, to our names.

    Args:
        layout: Layout of the file.
        official: Tensors by official name.
        where: Name of the file in messages.

    Raises:
        InputError: Lists tensors that are missing, unknown, of another shape or number type or not finite,
            copies that differ from their original, and position codes other than those of our models.
    """
    official = {old_spelling(name): value for name, value in official.items()}
    wanted = {entry.official: entry for entry in layout}
    found = misfits(official, {name: entry.shape for name, entry in wanted.items()})
    found += [
        f"{name} holds {value.dtype} instead of {wanted[name].dtype}"
        for name, value in official.items()
        if name in wanted and value.dtype != wanted[name].dtype
    ]
    check(f"{where} does not hold the official tensors", found, hint=f"{len(layout)} tensors are expected.")

    received = Received({}, {})
    for entry in layout:
        value = official[entry.official]
        if entry.copy_of is not None:
            if not equal(value, official[entry.copy_of]):
                found.append(f"{entry.official} differs from {entry.copy_of}")
        elif entry.ours is not None:
            received.weights[entry.ours] = value.reshape(entry.our_shape)
            if not value.isfinite().all():
                found.append(f"{entry.official} holds numbers that are not finite")
        elif entry.codes is not None:
            codes = _default(entry)
            tolerance, rounded = _precision(value)
            if not torch.allclose(value, codes, rtol=0, atol=tolerance):
                found.append(f"{entry.official} does not hold sines and cosines of base 10,000")
            elif not rounded and not equal(value, codes):
                received.unused[entry.official] = value
        elif not equal(value, _default(entry)):
            received.unused[entry.official] = value
    check(
        f"{where} is not a model that this version can run",
        found,
        hint="Use the file exactly as its authors publish it.",
    )
    return received


def give(layout: Layout, weights: Tensors, unused: Tensors) -> dict[str, Tensor]:
    """Return the tensors of the official file of our `weights`, with the `unused` tensors of `receive`.

    Unused tensors that were not received are zeros: the official code requires but never uses them.
    """
    official: dict[str, Tensor] = {}
    for entry in layout:
        if entry.copy_of is not None:
            official[entry.official] = official[entry.copy_of]
        elif entry.ours is not None:
            official[entry.official] = weights[entry.ours].reshape(entry.shape)
        else:
            kept = unused.get(entry.official)
            official[entry.official] = _default(entry) if kept is None else kept
    return official


def differences(one: Tensors, other: Tensors) -> list[str]:
    """Return the names that only one mapping has, and those whose tensors differ in type, shape or bytes."""
    return [
        name
        for name in {**one, **other}
        if name not in one or name not in other or not equal(one[name], other[name])
    ]


def equal(one: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same type, shape and bytes; unlike in `torch.equal`, NaN equals
    itself.
    """
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(*(value.contiguous().reshape(-1).view(torch.uint8) for value in (one, other)))


def _default(entry: Entry) -> Tensor:
    if entry.codes is not None:
        return entry.codes()
    return torch.zeros(entry.shape, dtype=entry.dtype)


def _precision(codes: Tensor) -> tuple[float, bool]:
    """Return the tolerance of position codes, and whether they were stored at half precision."""
    # bfloat16 first: most of its values are also values of float16.
    for half in (torch.bfloat16, torch.float16):
        if torch.equal(codes.to(half).float(), codes):
            return torch.finfo(half).eps, True
    return _POSITION_TOLERANCE, False
