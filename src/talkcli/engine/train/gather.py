"""Rows of all processes side by side, for losses that compare every row of a batch with every other.

Axis names: `rows` (of this process), `all` (processes times rows, in the order of ranks).

DDP averages gradients over processes. So the gradient of this process's rows is here the SUM of what all
processes' losses ask of them: when every process computes the same loss of all rows, the average is then the
gradient of one process with the whole batch. Parameters and rows that reach the loss without `gather` need
nothing: a mean over local rows averages to the mean over all.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, distributed

from talkcli.engine.nn.processes import processes


def gather(rows: Shaped[Tensor, "rows ..."]) -> Shaped[Tensor, "all ..."]:
    """Return all processes' `rows`, differentiable; `rows` itself where there is one process.

    Every process must call it, equally often, with the same shape. Not for `validate`, which one process runs
    alone.
    """
    return rows if processes() == 1 else _Gather.apply(rows)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.rows = len(rows)
        parts = [torch.empty_like(rows) for _ in range(processes())]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return total[distributed.get_rank() * ctx.rows :][: ctx.rows]
