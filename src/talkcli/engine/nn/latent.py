"""Latents of variational autoencoders of motion: a diagonal Gaussian for every token.

Axis names: `batch`, `tokens`, `width`. Source: Kingma and Welling 2014.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Latent(NamedTuple):
    """A diagonal Gaussian for every token."""

    mean: Float[Tensor, "batch tokens width"]
    log_variance: Float[Tensor, "batch tokens width"]

    def sample(self, generator: torch.Generator | None = None) -> Float[Tensor, "batch tokens width"]:
        """Return one sample, with noise from `generator` or from torch's global one."""
        device = self.mean.device if generator is None else generator.device
        noise = torch.randn(self.mean.shape, generator=generator, device=device, dtype=self.mean.dtype)
        return self.mean + (self.log_variance / 2).exp() * noise.to(self.mean.device)

    def divergence(self) -> Float[Tensor, ""]:
        """Return the Kullback-Leibler divergence from the standard Gaussian: the sum over the width, averaged
        over tokens.
        """
        each = self.mean.square() + self.log_variance.exp() - 1 - self.log_variance
        return each.sum(-1).mean() / 2
