"""The closed-form sampled distance of Gaussians and the contrastive loss on it.

Axis names: `batch` (speech along rows, motion along columns), `embedding`. Chun 2024 (PCME++); DEEPTalk,
section 3.1.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.models.dee import Gaussian

# A larger divergence is taken for a number gone astray.
VIB_LIMIT = 10_000.0


def csd(speech: Gaussian, motion: Gaussian) -> Float[Tensor, "batch others"]:
    """Expected squared distance of samples: squared distance of the means plus both summed variances."""
    means = torch.cdist(speech.mean, motion.mean).square()
    return means + speech.log_variance.exp().sum(-1)[:, None] + motion.log_variance.exp().sum(-1)[None, :]


def matches(labels: Int[Tensor, "batch"]) -> Bool[Tensor, "batch batch"]:
    """Which pairs count as positive: those of equal emotion."""
    return labels[:, None] == labels[None, :]


def csd_loss(
    logits: Float[Tensor, "batch batch"], targets: Float[Tensor, "batch batch"], *, pseudo_weight: float = 0.0
) -> Float[Tensor, ""]:
    """Twice the binary cross-entropy of match logits (one for each direction, which are equal without
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


def spread_loss(speech: Gaussian, motion: Float[Tensor, "batch embedding"]) -> Float[Tensor, "batch"]:
    """Negative logarithm of the density of `motion` under `speech`, averaged over dimensions, without its
    constant.

    Least where the variance is the squared distance that is to be expected, so that it tells how far the mean
    may be off (Nix & Weigend 1994; Kendall & Gal 2017). Both means are taken as they are: the loss has no
    gradient for them, or they could be moved to please it.
    """
    error = (motion - speech.mean).detach().square()
    return 0.5 * (speech.log_variance + error * torch.exp(-speech.log_variance)).mean(-1)


def vib_loss(gaussian: Gaussian) -> Float[Tensor, ""]:
    """Kullback-Leibler divergence from the standard normal, averaged over rows and dimensions.

    What keeps variances from vanishing: a weight near 3e-2 keeps them informative on small data, the released
    1e-6 leaves them free. As in the released code, a divergence beyond `VIB_LIMIT` is left out of the step.
    """
    mean, log_variance = gaussian
    divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
    return torch.where(divergence > VIB_LIMIT, torch.zeros_like(divergence), divergence)
