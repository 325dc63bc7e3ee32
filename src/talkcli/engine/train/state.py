"""The part of a model that training changes, which is all of the model that a resumable state stores.

`requires_grad` marks the frozen weights, often most of a model. A resumed run builds them anew, and a hash
checks that they are those the run began with.
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
    """Hash of the weights that are not trained."""
    return digest(_frozen(model))


def restore(model: nn.Module, values: Mapping[str, Tensor], *, frozen: str, expected: str) -> None:
    """Put what `changing` gave back into a model whose frozen weights hash to `frozen`, as `expected`.

    Raises InputError when they do not, or when the values are those of another model.
    """
    if frozen != expected:
        raise InputError(
            "The frozen weights of the model are not those this run was started with.",
            hint="Give the same files as at the start, or begin anew with `overwrite`.",
        )
    check_same(changing(model), values)
    model.load_state_dict({**model.state_dict(), **values})


def restore_optimiser(
    optimiser: optim.Optimizer, values: Mapping[int, Mapping[str, Tensor]], trained: Mapping[str, Tensor]
) -> None:
    """Put back what `optimiser` remembered of each of the `trained` weights, by their number.

    Raises InputError when it is of other weights. What the recipe says of the optimiser stays as it is.
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
            hint="Use the version of talk that started it, or begin anew with `overwrite`.",
        )


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return SHA-256 over names, types, shapes and bytes."""
    total = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _kinds(tensors: Mapping[str, Tensor]) -> dict[str, tuple[torch.dtype, torch.Size]]:
    return {name: (value.dtype, value.shape) for name, value in tensors.items()}


def _frozen(model: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in model.named_parameters() if not value.requires_grad}
