"""The emotion that DEE embeds: a direction and its uncertainty."""

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
        """Return a random direction around the mean, or the mean itself if `sigma` is None.

        Args:
            sigma: Factor on the log-variance: z = mean + exp(sigma * log_variance / 2) * eps, normalised to
                the sphere. 1 is the trained uncertainty. Log-variances are negative, so 0.1 spreads wider
                than 1. As in the released code, 0 equals 1.
            generator: Source of the noise eps.
            within: Orthonormal directions; the noise is projected onto their span.
        """
        if sigma is None:
            return self.mean
        # float32, whatever precision the encoders use, so that the draw is the same everywhere.
        mean, log_variance = self.mean.float(), self.log_variance.float()
        factor = sigma or 1.0
        noise = torch.randn(self.mean.shape, generator=generator, device=generator.device).to(mean)
        # At a deviation of e^30 the mean vanishes in rounding; without the bound the norm would overflow.
        deviation = torch.exp((factor * log_variance / 2).clamp_max(30))
        noise = deviation * noise
        if within is not None:
            with torch.autocast(noise.device.type, enabled=False):
                noise = noise @ within.T @ within
        return F.normalize(mean + noise, dim=-1)
