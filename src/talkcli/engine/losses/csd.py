"""The closed-form sampled distance of Gaussians and the contrastive loss on it.

Axis names: `batch` (speech along rows, motion along columns), `embedding`. Chun 2024 (PCME++); DEEPTalk,
section 3.1.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.models.deeptalk.gaussian import Gaussian

# A larger divergence is taken for a number gone astray.
VIB_LIMIT = 10_000.0


def csd(speech: Gaussian, motion: Gaussian) -> Float[Tensor, "batch others"]:
    """Return expected squared distance of samples: squared distance of the means plus both summed
    variances.
    """
    means = torch.cdist(speech.mean, motion.mean).square()
    return means + speech.log_variance.exp().sum(-1)[:, None] + motion.log_variance.exp().sum(-1)[None, :]


def matches(labels: Int[Tensor, "batch"]) -> Bool[Tensor, "batch batch"]:
    """Return which pairs count as positive: those of equal emotion."""
    return labels[:, None] == labels[None, :]


def csd_loss(
    logits: Float[Tensor, "batch batch"], targets: Float[Tensor, "batch batch"], *, pseudo_weight: float = 0.0
) -> Float[Tensor, ""]:
    """Return twice the binary cross-entropy of match logits (one for each direction, which are equal without
    extras).

    `targets` are `matches` as numbers, or soft ones between. With `pseudo_weight`, pairs at least as close as
    a row's (then a column's) first positive count as positive too, and the loss on these enlarged targets is
    added with that weight.
    """
    loss = 2 * F.binary_cross_entropy_with_logits(logits, targets)
    if pseudo_weight > 0:
        for rows, truth in ((logits, targets), (logits.T, targets.T)):
            threshold = rows.gather(1, truth.argmax(1, keepdim=True))
            enlarged = torch.maximum(truth, (rows >= threshold).to(rows.dtype))
            loss = loss + pseudo_weight * F.binary_cross_entropy_with_logits(rows, enlarged)
    return loss


def spread_loss(gaussian: Gaussian, error: Float[Tensor, "batch"]) -> Float[Tensor, ""]:
    """Return negative logarithm of the density at a squared distance of `error` from the mean, a dimension
    and without its constant, averaged over rows.

    Least where the variances sum up to the error (Nix & Weigend 1994; Kendall & Gal 2017), each dimension
    having its share. The mean has no gradient, or it could be moved to please the loss.
    """
    log_variance = gaussian.log_variance
    share = error.detach()[:, None] / log_variance.shape[1]
    return 0.5 * (log_variance + share * torch.exp(-log_variance)).mean()


def vib_loss(gaussian: Gaussian) -> Float[Tensor, ""]:
    """Return Kullback-Leibler divergence from the standard normal, averaged over rows and dimensions.

    What keeps variances from vanishing: a weight near 3e-2 keeps them informative on small data, the released
    1e-6 leaves them free. As in the released code, a divergence beyond `VIB_LIMIT` is left out of the step.
    """
    mean, log_variance = gaussian
    divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
    return torch.where(divergence > VIB_LIMIT, torch.zeros_like(divergence), divergence)
