"""Concatenated rows of all processes, for losses that compare every row of a batch with every other.

Axis names: `rows` (of this process), `all` (processes times rows, in the order of ranks).

DDP averages gradients over processes. Therefore `gather` returns, as the gradient of this process's rows, the
SUM of the gradients that all processes' losses have for them. If every process computes the same loss of all
rows, DDP's average is then the gradient of one process with the whole batch. Parameters and rows that reach
the loss without `gather` need no such sum: means over local rows average to the mean over all rows.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, distributed

from talkcli.engine.nn.processes import processes


def gather(rows: Shaped[Tensor, "rows ..."]) -> Shaped[Tensor, "all ..."]:
    """Return all processes' `rows`, differentiably; `rows` itself if there is one process.

    Every process must call it equally often and with the same shape. An objective's `validate` must not call
    it, because only the first process runs `validate`.
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
