"""An emotion as DEE sees it: a direction, and how unsure it is."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


class Gaussian(NamedTuple):
    """A mean on the unit sphere and the logarithm of a variance per dimension."""

    mean: Float[Tensor, "batch embedding"]
    log_variance: Float[Tensor, "batch embedding"]

    def sample(
        self,
        sigma: float | None,
        generator: torch.Generator,
        within: Float[Tensor, "directions embedding"] | None = None,
    ) -> Float[Tensor, "batch embedding"]:
        """Return the mean for None; else a direction drawn around it.

        `sigma` multiplies the log-variance: z = mean + exp(sigma * log_variance / 2) * eps, put back on the
        sphere. 1 is the uncertainty as trained. Log-variances are negative, so 0.1 spreads wider than 1. As
        in the released code, 0 leaves the log-variance as it is and equals 1. `within` are orthonormal
        directions; of the noise only what lies in their span is kept.
        """
        if sigma is None:
            return self.mean
        # In full precision, whatever the encoders worked in: the same draw wherever it is asked for.
        mean, log_variance = self.mean.float(), self.log_variance.float()
        factor = sigma or 1.0
        noise = torch.randn(self.mean.shape, generator=generator, device=generator.device).to(mean)
        # Beyond e^30 the mean is below rounding already; without the bound the norm would overflow.
        deviation = torch.exp((factor * log_variance / 2).clamp_max(30))
        noise = deviation * noise
        if within is not None:
            with torch.autocast(noise.device.type, enabled=False):
                noise = noise @ within.T @ within
        return F.normalize(mean + noise, dim=-1)
