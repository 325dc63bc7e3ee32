"""Vector quantisation with a codebook that trains by gradient, as in the paper's main text.

Axis names: `batch`, `tokens`, `width`, `codes`. Source: van den Oord et al. 2017, equation 3; CodeTalker's
code trains its codebook in this way. `quantizer.py` has the other way, by moving averages.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.nn.quantizer import Quantized


class Codebook(nn.Module):
    """Quantizer to the nearest code by squared distance; the codes are parameters.

    It runs in float32 or more also under autocast, since rounded distances would choose other codes.
    """

    def __init__(self, codes: int, width: int, commitment: float) -> None:
        """Draw the codes uniformly within 1 / codes of zero.

        Args:
            codes: Number of codes.
            width: Number of channels of a code.
            commitment: Weight of the part of the loss that pulls vectors to their codes.
        """
        super().__init__()
        self.commitment = commitment
        self.codes = nn.Parameter(torch.empty(codes, width).uniform_(-1 / codes, 1 / codes))

    def nearest(self, x: Float[Tensor, "batch tokens width"]) -> Int[Tensor, "batch tokens"]:
        """Return the index of the nearest code of each token."""
        with torch.autocast(x.device.type, enabled=False):
            flat = x.detach().to(self.codes.dtype).flatten(0, 1)
            distance = self.codes.square().sum(1) - 2 * flat @ self.codes.T
        return distance.argmin(dim=1).view(x.shape[:-1])

    def lookup(self, codes: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens width"]:
        """Return the code vectors of indices."""
        return F.embedding(codes, self.codes)

    def forward(self, x: Float[Tensor, "batch tokens width"]) -> Quantized:
        """Quantise; the loss `commitment` also has a part of weight 1 that pulls codes to their vectors."""
        x = x.to(self.codes.dtype)
        codes = self.nearest(x)
        vectors = self.lookup(codes)
        loss = self.commitment * F.mse_loss(x, vectors.detach()) + F.mse_loss(vectors, x.detach())
        return Quantized(x + (vectors - x).detach(), codes, loss)
