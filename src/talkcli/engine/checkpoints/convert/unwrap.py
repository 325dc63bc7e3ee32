"""Where the network of an official file stands in a file that a training program has written.

Programs put names of their own before those of the network (`module.` of data-parallel training, `model.` or
`net.` of Lightning, `_orig_mod.` of a compiled model), other modules beside it, and store it at half
precision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from talkcli.engine.checkpoints.fit import listed
from talkcli.engine.errors import InputError

# How torch 2 spells the two parts of a weight norm that torch 1 called weight_g and weight_v.
_NEW_SPELLING = {
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}


class Unwrapped(NamedTuple):
    """The tensors of the network alone, under their official names."""

    tensors: dict[str, Tensor]
    """The tensors by name: float32 where they have a fraction, int64 where they are whole numbers."""
    prefix: str
    """The prefix that was removed from the names."""
    beside: int
    """Tensors of the file that stood elsewhere."""


def unwrap(
    state: Mapping[str, Tensor], wanted: Mapping[str, Collection[str]], name: str, where: str
) -> Unwrapped:
    """Return the network called `name` in `state`, the tensors of the file called `where`; `wanted` are the
    official names of every network that it could be taken for.

    Of a network that is not whole, what is there comes back. Raises MixedUpError where the file holds another
    of them, InputError where it holds this one twice.
    """
    state = {old_spelling(key): value for key, value in state.items()}
    places = {network: list(_wholes(state, names)) for network, names in wanted.items()}
    # A larger network may hold this one, which is then not meant.
    rivals = [
        other
        for other, names in wanted.items()
        if places[other] and other != name and (not places[name] or len(names) > len(wanted[name]))
    ]
    if rivals:
        raise MixedUpError(max(rivals, key=lambda other: len(wanted[other])))
    if len(places[name]) > 1:
        raise InputError(
            f"{where} holds the network {len(places[name])} times: below {listed(places[name])}.",
            hint="Save the one that is meant in a file of its own.",
        )
    prefix = places[name][0] if places[name] else _likeliest(state, wanted[name])
    inside = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    tensors = {key: _widened(value) for key, value in inside.items()}
    return Unwrapped(tensors, prefix, len(state) - len(inside))


class MixedUpError(Exception):
    """The file holds another network, which `args` names."""


def _wholes(state: Mapping[str, Tensor], wanted: Collection[str]) -> Iterator[str]:
    """Yield the prefixes below which all the names `wanted` stand."""
    for prefix, count in _counts(state, wanted).items():
        if count == len(wanted):
            yield prefix


def _likeliest(state: Mapping[str, Tensor], wanted: Collection[str]) -> str:
    """Return the prefix of most of the names `wanted`; none where that is not even half of them."""
    ((prefix, count),) = _counts(state, wanted).most_common(1) or [("", 0)]
    return prefix if 2 * count >= len(wanted) else ""


def _counts(names: Iterable[str], wanted: Collection[str]) -> Counter[str]:
    """Return how many of the names `wanted` stand below each prefix."""
    known = frozenset(wanted)
    return Counter(prefix for name in names for prefix, rest in _splits(name) if rest in known)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield every way to take a name for one in a module: first and rest, the first empty or ending with a
    dot.
    """
    parts = name.split(".")
    for index in range(len(parts)):
        first = ".".join(parts[:index])
        yield (f"{first}." if first else ""), ".".join(parts[index:])


def _widened(value: Tensor) -> Tensor:
    if value.is_floating_point():
        return value.to(torch.float32)
    whole = value.dtype in (torch.int8, torch.uint8, torch.int16, torch.int32)
    return value.to(torch.int64) if whole else value


def old_spelling(name: str) -> str:
    """Return `name` as torch 1 spelled it."""
    for new, old in _NEW_SPELLING.items():
        if name.endswith(f".{new}"):
            return name.removesuffix(new) + old
    return name
