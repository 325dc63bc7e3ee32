"""Batch normalisation over the clips of all training processes.

Axis names: `batch`, `width`, `frames`. torch's own layer for this, SyncBatchNorm, works only on GPUs.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from talkcli.engine.nn.processes import processes, sum_over_processes


class BatchNorm(nn.BatchNorm1d):
    """`nn.BatchNorm1d` with the joint statistics of all training processes in train mode.

    Every process must have the same number of rows.
    """

    def forward(self, x: Float[Tensor, "batch width *frames"]) -> Float[Tensor, "batch width *frames"]:
        if not self.training or processes() == 1:
            return super().forward(x)
        shape = [1, -1] + [1] * (x.ndim - 2)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        count = x.numel() // x.shape[1] * processes()
        wide = x.float()
        mean = sum_over_processes(wide.sum(axes)) / count
        centred = wide - mean.view(shape)
        variance = sum_over_processes(centred.square().sum(axes)) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale.view(shape) + self.bias.view(shape)).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Float[Tensor, "width"], variance: Float[Tensor, "width"]) -> None:
        """Update the running statistics as torch does."""
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)
