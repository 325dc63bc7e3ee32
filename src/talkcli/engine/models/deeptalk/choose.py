"""From logits over a codebook to one-hot choices.

Axis names: `batch`, `tokens`, `codes`. DEEPTalk, section 3.3; Jang et al. 2016. The paper draws from the
softmax at a temperature of its own for every level. The released inference draws with Gumbel noise instead,
whatever temperature it is given; `gumbel` is that draw.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.errors import InputError

Choose = Callable[[Float[Tensor, "batch tokens codes"]], Float[Tensor, "batch tokens codes"]]

# Below this temperature there is nothing to draw, and logits divided by it leave float32.
_COLDEST = 1e-30


def likeliest(logits: Float[Tensor, "batch tokens codes"]) -> Float[Tensor, "batch tokens codes"]:
    """Return the code of the highest logit."""
    return _one_hot(logits.argmax(-1), logits)


def drawn(tau: float, generator: torch.Generator) -> Choose:
    """Draw from the softmax at temperature `tau`; 0 is the likeliest. What it gives raises InputError for
    logits that are not finite.
    """
    if tau < _COLDEST:
        return likeliest

    def choose(logits: Tensor) -> Tensor:
        if not logits.isfinite().all():
            raise InputError("The model's scores are not finite numbers.", hint="Its weights are unusable.")
        chances = (logits / tau).softmax(-1).flatten(0, 1).to(generator.device)
        codes = torch.multinomial(chances, 1, generator=generator).to(logits.device)
        return _one_hot(codes.view(logits.shape[:-1]), logits)

    return choose


def gumbel(generator: torch.Generator) -> Choose:
    """Return the hard choice of `F.gumbel_softmax`, with its noise drawn from `generator` in its order.

    Its temperature is left out, since it scales logits and noise alike: this draws from the softmax at
    temperature 1.
    """

    def choose(logits: Tensor) -> Tensor:
        noise = torch.empty(logits.shape, device=generator.device).exponential_(generator=generator).log()
        return likeliest(logits - noise.to(logits))

    return choose


def straight_through(tau: float) -> Choose:
    """For training: a draw from the softmax with the gradient of a softer choice at temperature `tau`; takes
    its noise from torch's global generator.
    """
    return lambda logits: F.gumbel_softmax(logits, tau, hard=True)


def given(codes: Int[Tensor, "batch tokens"]) -> Choose:
    """Choose these codes, whatever the logits are."""
    return lambda logits: _one_hot(codes, logits)


def _one_hot(
    codes: Int[Tensor, "batch tokens"], logits: Float[Tensor, "batch tokens codes"]
) -> Float[Tensor, "batch tokens codes"]:
    return F.one_hot(codes, logits.shape[-1]).to(logits.dtype)
