"""Generalised pooling operator: it pools a sequence to one vector with learned weights over sorted values.

Axis names: `batch`, `frames`, `width`. Source: Chen et al. 2021 (VSE-infinity). DEEPTalk pools both encoders
of DEE with it.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from talkcli.engine.nn.transformer import sinusoids


class Gpo(nn.Module):
    """Pooling that sorts each channel over time, largest first, and sums it with weights that depend only on
    the length.
    """

    def __init__(self, position_width: int = 32, hidden: int = 32, temperature: float = 0.1) -> None:
        super().__init__()
        self.position_width = position_width
        self.temperature = temperature
        self.gru = nn.GRU(position_width, hidden, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(hidden, 1, bias=False)

    def weights(self, frames: int) -> Float[Tensor, "frames"]:
        """Return the weights of the sorted values; they sum to one."""
        device = self.linear.weight.device
        # Autocast is off: a low temperature magnifies rounding errors, and the GRU's many small steps would
        # take longer to convert than to compute.
        with torch.autocast(device.type, enabled=False):
            both, _ = self.gru(sinusoids(frames, self.position_width, device)[None])
            forwards, backwards = both.chunk(2, dim=-1)
            scores = self.linear((forwards + backwards) / 2)
            return (scores[0, :, 0] / self.temperature).softmax(dim=0)

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch width"]:
        ordered = x.sort(dim=1, descending=True).values
        return (ordered * self.weights(x.shape[1])[None, :, None]).sum(dim=1)
