"""What layers exchange between training processes, so that these compute what one would on the whole batch.

With one process nothing happens. Every process must call, equally often, with the same shape.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, distributed


def processes() -> int:
    """Return how many train together."""
    alone = not (distributed.is_available() and distributed.is_initialized())
    return 1 if alone else distributed.get_world_size()


def sum_over_processes(value: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """Return differentiable: what any process's loss asks of the sum reaches every process's `value`.

    Where gradients are averaged over processes, as DDP does, they are then those of the mean loss.
    """
    return value if processes() == 1 else _Sum.apply(value)


@torch.no_grad()
def of_first_process(value: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """Return the first process's `value` in all: draws that must agree."""
    if processes() > 1:
        value = value.contiguous()
        distributed.broadcast(value, 0)
    return value


class _Sum(torch.autograd.Function):
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
