"""Vector quantisation with a codebook that follows the data by exponential moving averages.

Axis names: `batch`, `tokens`, `width`, `codes`; `vectors` = batch * tokens. Source: van den Oord et al. 2017,
appendix A.1. The defaults are those of DEEPTalk's code; where it deviates from the paper there is a setting.
One setting is new: unused codes can move to vectors of the batch. Several training processes average over the
clips of all.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.nn.processes import of_first_process, sum_over_processes
from talkcli.engine.types import Config

# Smoothing of the counts, which keeps those of unused codes above zero.
_EPSILON = 1e-5


class QuantizerConfig(Config):
    """Settings of a codebook and of its updates."""

    codes: Annotated[int, Field(gt=0, le=1 << 16)] = 256
    """Number of codes in the codebook."""
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.95
    """Decay of the codebook's moving averages."""
    commitment: Annotated[float, Field(ge=0, le=1e6)] = 0.25
    """Weight of the mean squared distance between the encoder's vectors and their codes."""
    smooth_counts_by: Literal["clips", "vectors"] = "clips"
    """Total to which smoothing scales the running counts: the number of clips in the batch, as in DEEPTalk's
    code, which also keeps the smoothed counts as running counts; or their own sum, as in the paper that it
    cites."""
    start: Literal["uniform", "data"] = "uniform"
    """Initial codes: uniform within 1 / codes of zero with counts of 0, as in DEEPTalk's training; or vectors
    of the first batch."""
    revive_below: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Threshold on the running count below which a code moves to a vector of the batch; 0 never moves one, as
    in DEEPTalk's code."""


class Quantized(NamedTuple):
    """Result of quantising a batch of tokens."""

    vectors: Float[Tensor, "batch tokens width"]
    """Code vectors; their gradient passes straight through to the encoder."""
    codes: Int[Tensor, "batch tokens"]
    """Indices of the codes."""
    commitment: Float[Tensor, ""]
    """Commitment loss, which pulls the encoder's vectors to their codes."""


class EmaQuantizer(nn.Module):
    """Quantizer that finds the nearest code by squared distance; in train mode it also moves the codebook.

    The quantizer draws the vectors on which it places codes with torch's global generator, as dropout does;
    the training loop seeds it at every step. It runs in float32 under autocast, since rounded distances would
    choose other codes.
    """

    codebook: Tensor
    ema_count: Tensor
    ema_sum: Tensor
    started: Tensor

    def __init__(self, width: int, config: QuantizerConfig) -> None:
        super().__init__()
        self.config = config
        codes, on_data = config.codes, config.start == "data"
        self.register_buffer("codebook", _uniform(codes, width))
        self.register_buffer("ema_count", torch.ones(codes) if on_data else torch.zeros(codes))
        self.register_buffer("ema_sum", _uniform(codes, width))
        self.register_buffer("started", torch.tensor(not on_data))

    def nearest(self, x: Float[Tensor, "batch tokens width"]) -> Int[Tensor, "batch tokens"]:
        """Return the index of the nearest code of each token."""
        with torch.autocast(x.device.type, enabled=False):
            flat = x.float().reshape(-1, x.shape[-1])
            distance = self.codebook.square().sum(1) - 2 * flat @ self.codebook.T
        return distance.argmin(dim=1).view(x.shape[:-1])

    def lookup(self, one_hot: Float[Tensor, "batch tokens codes"]) -> Float[Tensor, "batch tokens width"]:
        """Return the code vectors of one-hot (or soft) choices, differentiable in the choice."""
        return one_hot @ self.codebook

    def forward(self, x: Float[Tensor, "batch tokens width"]) -> Quantized:
        x = x.float()
        if self.training and not bool(self.started):
            self._start(x.detach().flatten(0, 1))
        codes = self.nearest(x)
        vectors = F.embedding(codes, self.codebook)
        if self.training:
            with torch.autocast(x.device.type, enabled=False):
                self._follow(x.detach().flatten(0, 1), codes.flatten(), clips=len(x))
        commitment = self.config.commitment * F.mse_loss(x, vectors)
        return Quantized(x + (vectors - x).detach(), codes, commitment)

    @torch.no_grad()
    def _start(self, vectors: Float[Tensor, "vectors width"]) -> None:
        """Place the codes on data: a codebook far from the first vectors would leave most codes unused."""
        spread = vectors.std() * 1e-2
        self.codebook.copy_(
            of_first_process(_drawn(vectors, self.codebook) + spread * torch.randn_like(self.codebook))
        )
        self.ema_sum.copy_(self.codebook)
        self.started.fill_(True)

    @torch.no_grad()
    def _follow(
        self, vectors: Float[Tensor, "vectors width"], codes: Int[Tensor, "vectors"], *, clips: int
    ) -> None:
        config = self.config
        one_hot = F.one_hot(codes, config.codes).to(vectors.dtype)
        self.ema_count.lerp_(sum_over_processes(one_hot.sum(0)), 1 - config.decay)
        self.ema_sum.lerp_(sum_over_processes(one_hot.T @ vectors), 1 - config.decay)
        if config.revive_below > 0:
            dead = self.ema_count < config.revive_below
            placed = of_first_process(_drawn(vectors, self.codebook))
            self.ema_sum.copy_(torch.where(dead[:, None], placed, self.ema_sum))
            self.ema_count.copy_(torch.where(dead, torch.ones_like(self.ema_count), self.ema_count))
        by_clips = config.smooth_counts_by == "clips"
        total = sum_over_processes(vectors.new_tensor(float(clips))) if by_clips else self.ema_count.sum()
        count = (self.ema_count + _EPSILON) / (total + config.codes * _EPSILON) * total
        if by_clips:
            self.ema_count.copy_(count)
        self.codebook.copy_(self.ema_sum / count[:, None])


def _uniform(codes: int, width: int) -> Float[Tensor, "codes width"]:
    return torch.empty(codes, width).uniform_(-1 / codes, 1 / codes)


def _drawn(vectors: Float[Tensor, "vectors width"], like: Float[Tensor, "codes width"]) -> Tensor:
    """Return a random vector of the batch for every code."""
    return vectors[torch.randint(len(vectors), (len(like),), device=vectors.device)]
