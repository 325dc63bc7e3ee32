"""Search for the network of an official file in a file that a training program has written.

Such programs add prefixes to the network's names: `module.` for data-parallel training, `model.` or `net.`
for Lightning, `_orig_mod.` for a compiled model. They may also store other modules in the file, and use half
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

# Names in torch 2 of the two parts of a weight norm, with those in torch 1.
_NEW_SPELLING = {
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}


class Unwrapped(NamedTuple):
    """The tensors of the network alone, under their official names."""

    tensors: dict[str, Tensor]
    """Tensors by official name: float32 for floating-point types, int64 for integer types."""
    prefix: str
    """Prefix that `unwrap` removed from the names."""
    beside: int
    """Number of tensors in the file that are not below the prefix."""


def unwrap(
    state: Mapping[str, Tensor], wanted: Mapping[str, Collection[str]], name: str, where: str
) -> Unwrapped:
    """Return the network called `name` from `state`; of an incomplete network, return what is there.

    Args:
        state: All tensors of the file.
        wanted: Official names of the tensors of this network and of those with which it could be confused.
        name: Key of this network in `wanted`.
        where: Name of the file in messages.

    Raises:
        MixedUpError: When the file holds another of these networks instead.
        InputError: When the file holds this network more than once.
    """
    state = {old_spelling(key): value for key, value in state.items()}
    places = {network: list(_wholes(state, names)) for network, names in wanted.items()}
    # If a larger network in the file contains this one, the file is one of the larger network.
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
            hint="Save the one that you mean in a separate file.",
        )
    prefix = places[name][0] if places[name] else _likeliest(state, wanted[name])
    inside = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    tensors = {key: _widened(value) for key, value in inside.items()}
    return Unwrapped(tensors, prefix, len(state) - len(inside))


class MixedUpError(Exception):
    """Error: the file holds another network, whose name is in `args`."""


def _wholes(state: Mapping[str, Tensor], wanted: Collection[str]) -> Iterator[str]:
    """Yield each prefix below which `state` has all the names `wanted`."""
    for prefix, count in _counts(state, wanted).items():
        if count == len(wanted):
            yield prefix


def _likeliest(state: Mapping[str, Tensor], wanted: Collection[str]) -> str:
    """Return the prefix with most of the names `wanted`, or "" if it has fewer than half of them."""
    ((prefix, count),) = _counts(state, wanted).most_common(1) or [("", 0)]
    return prefix if 2 * count >= len(wanted) else ""


def _counts(names: Iterable[str], wanted: Collection[str]) -> Counter[str]:
    """Return the number of the names `wanted` below each prefix."""
    known = frozenset(wanted)
    return Counter(prefix for name in names for prefix, rest in _splits(name) if rest in known)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield every split of `name` into a prefix and a rest; the prefix is empty or ends with a dot."""
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
    """Return `name` in the spelling of torch 1."""
    for new, old in _NEW_SPELLING.items():
        if name.endswith(f".{new}"):
            return name.removesuffix(new) + old
    return name
