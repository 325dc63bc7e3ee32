"""Vector quantisation with a codebook that follows the data by exponential moving averages.

Axis names: `batch`, `tokens`, `width`, `codes`. van den Oord et al. 2017, appendix A.1; DEEPTalk A.4. Differs
from DEEPTalk's code in two places: counts are smoothed against the number of vectors, as in the paper they
cite, where the released code uses the number of clips; and codes that fall out of use may be placed anew.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F


class Quantized(NamedTuple):
    """`vectors` carry the encoder's gradient (straight-through); `commitment` pulls the encoder to its
    codes.
    """

    vectors: Float[Tensor, "batch tokens width"]
    codes: Int[Tensor, "batch tokens"]
    commitment: Float[Tensor, ""]


class EmaQuantizer(nn.Module):
    """The nearest code by squared distance. In train mode, a call also moves the codebook.

    `revive_below`: a code whose running count falls below this is placed on a vector of the current batch; 0
    never. Placing draws from torch's global generator, as dropout does; the training loop seeds it at every
    step.
    """

    codebook: Tensor
    ema_count: Tensor
    ema_sum: Tensor
    started: Tensor

    def __init__(
        self,
        codes: int,
        width: int,
        *,
        decay: float = 0.95,
        commitment: float = 0.25,
        revive_below: float = 0.0,
    ) -> None:
        super().__init__()
        self.decay = decay
        self.commitment = commitment
        self.revive_below = revive_below
        self.register_buffer("codebook", torch.randn(codes, width))
        self.register_buffer("ema_count", torch.ones(codes))
        self.register_buffer("ema_sum", torch.zeros(codes, width))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    def nearest(self, x: Float[Tensor, "batch tokens width"]) -> Int[Tensor, "batch tokens"]:
        """Index of the nearest code."""
        flat = x.reshape(-1, x.shape[-1])
        distance = self.codebook.square().sum(1) - 2 * flat @ self.codebook.T
        return distance.argmin(dim=1).view(x.shape[:-1])

    def lookup(self, one_hot: Float[Tensor, "batch tokens codes"]) -> Float[Tensor, "batch tokens width"]:
        """Code vectors of one-hot (or soft) choices, differentiable in the choice."""
        return one_hot @ self.codebook

    def forward(self, x: Float[Tensor, "batch tokens width"]) -> Quantized:
        if self.training and not bool(self.started):
            self._start(x.detach().reshape(-1, x.shape[-1]))
        codes = self.nearest(x)
        vectors = F.embedding(codes, self.codebook)
        if self.training:
            self._follow(x.detach().reshape(-1, x.shape[-1]), codes.reshape(-1))
        commitment = self.commitment * F.mse_loss(x, vectors)
        return Quantized(x + (vectors - x).detach(), codes, commitment)

    @torch.no_grad()
    def _start(self, vectors: Float[Tensor, "vectors width"]) -> None:
        """Begin on data: a codebook far from the first vectors would leave all but a few codes unused."""
        chosen = torch.randint(len(vectors), (len(self.codebook),), device=vectors.device)
        spread = vectors.std() * 1e-2
        self.codebook.copy_(vectors[chosen] + spread * torch.randn_like(self.codebook))
        self.ema_sum.copy_(self.codebook)
        self.started.fill_(True)

    @torch.no_grad()
    def _follow(self, vectors: Float[Tensor, "vectors width"], codes: Int[Tensor, "vectors"]) -> None:
        one_hot = F.one_hot(codes, len(self.codebook)).to(vectors.dtype)
        self.ema_count.lerp_(one_hot.sum(0), 1 - self.decay)
        self.ema_sum.lerp_(one_hot.T @ vectors, 1 - self.decay)
        if self.revive_below > 0:
            dead = self.ema_count < self.revive_below
            chosen = torch.randint(len(vectors), (len(self.codebook),), device=vectors.device)
            self.ema_sum.copy_(torch.where(dead[:, None], vectors[chosen], self.ema_sum))
            self.ema_count.copy_(torch.where(dead, torch.ones_like(self.ema_count), self.ema_count))
        total = self.ema_count.sum()
        smoothing = 1e-5
        count = (self.ema_count + smoothing) / (total + len(self.codebook) * smoothing) * total
        self.codebook.copy_(self.ema_sum / count[:, None])
