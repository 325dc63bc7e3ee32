"""The part of a model that training changes; a resumable state stores only this part.

Frozen weights, often most of a model, have `requires_grad` off. A resumed run loads them anew, and a hash
verifies that they equal those of the run's start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn, optim

from talkcli.engine.errors import InputError


def trained_weights(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def changing(model: nn.Module) -> dict[str, Tensor]:
    """Return trained weights and buffers, by their names in the state dict."""
    frozen = _frozen(model)
    return {name: value for name, value in model.state_dict().items() if name not in frozen}


def frozen_digest(model: nn.Module) -> str:
    """Return the hash of the weights that are not trained."""
    return digest(_frozen(model))


def restore(model: nn.Module, values: Mapping[str, Tensor], *, frozen: str, expected: str) -> None:
    """Load `values`, which `changing` returned, into `model`.

    Raises InputError when the hash `frozen` of its frozen weights is not the `expected` one, or when the
    values belong to another model.
    """
    if frozen != expected:
        raise InputError(
            "The frozen weights of the model are not those with which this run started.",
            hint="Give the same files as at the start, or start again with `overwrite`.",
        )
    check_same(changing(model), values)
    model.load_state_dict({**model.state_dict(), **values})


def restore_optimiser(
    optimiser: optim.Optimizer, values: Mapping[int, Mapping[str, Tensor]], trained: Mapping[str, Tensor]
) -> None:
    """Load `values`, the moments of each of the `trained` weights by its number, into `optimiser`.

    The optimiser keeps the recipe's settings. Raises InputError when the moments belong to other weights.
    """
    weights = list(trained.values())
    for index, remembered in values.items():
        weight = weights[index] if 0 <= index < len(weights) else torch.empty(0)
        wanted = {"step": torch.zeros(()), "exp_avg": weight, "exp_avg_sq": weight}
        check_same(wanted, remembered)
    state = {index: {name: item.clone() for name, item in kept.items()} for index, kept in values.items()}
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def check_same(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Raise InputError unless both hold tensors of the same names, types and shapes."""
    if _kinds(wanted) != _kinds(found):
        raise InputError(
            "The state of this run belongs to another model.",
            hint="Use the version of talk that started it, or start again with `overwrite`.",
        )


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of the tensors' names, types, shapes and bytes."""
    total = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _kinds(tensors: Mapping[str, Tensor]) -> dict[str, tuple[torch.dtype, torch.Size]]:
    return {name: (value.dtype, value.shape) for name, value in tensors.items()}


def _frozen(model: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in model.named_parameters() if not value.requires_grad}
