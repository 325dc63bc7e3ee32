"""Exchange between training processes: together they compute what one process would on the whole batch.

With one process the functions return their argument. Every process must call them equally often and with the
same shape.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, distributed


def processes() -> int:
    """Return the number of processes that train together."""
    alone = not (distributed.is_available() and distributed.is_initialized())
    return 1 if alone else distributed.get_world_size()


def sum_over_processes(value: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """Return the sum of `value` over all processes, differentiably.

    The gradient of every process's loss reaches the `value` of every process. When gradients are then
    averaged over processes, as DDP does, the result is the gradient of the mean loss.
    """
    return value if processes() == 1 else _Sum.apply(value)


@torch.no_grad()
def of_first_process(value: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """Return the first process's `value` in every process; for random draws that must agree."""
    if processes() > 1:
        value = value.contiguous()
        distributed.broadcast(value, 0)
    return value


class _Sum(torch.autograd.Function):
    """Sum over processes in the forward pass, and of the gradients in the backward pass."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:  # noqa: ARG004  torch's signature
        return _summed(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ARG004  torch's signature
        return _summed(gradients[0])


def _summed(value: Tensor) -> Tensor:
    total = value.contiguous().clone()
    distributed.all_reduce(total)
    return total
