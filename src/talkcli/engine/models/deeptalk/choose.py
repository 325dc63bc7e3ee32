"""Functions that turn logits over a codebook into one-hot choices.

Axis names: `batch`, `tokens`, `codes`. Sources: DEEPTalk, section 3.3; Jang et al. 2016. The paper draws from
the softmax, with a separate temperature for each level. The released inference draws with Gumbel noise
instead and in effect ignores the temperature; `gumbel` is that draw.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.errors import InputError

Choose = Callable[[Float[Tensor, "batch tokens codes"]], Float[Tensor, "batch tokens codes"]]

# Lowest temperature of a draw, without unit: below it the draw is the argmax anyway, and logits divided by it
# would overflow float32.
COLDEST = 1e-30


def likeliest(logits: Float[Tensor, "batch tokens codes"]) -> Float[Tensor, "batch tokens codes"]:
    """Return the code of the highest logit."""
    return _one_hot(logits.argmax(-1), logits)


def drawn(tau: float, generator: torch.Generator) -> Choose:
    """Return a choice that draws from the softmax at temperature `tau`; 0 takes the most probable code.

    The choice raises InputError for logits that are not finite.
    """
    if tau < COLDEST:
        return likeliest

    def choose(logits: Tensor) -> Tensor:
        check_finite(logits)
        chances = (logits / tau).softmax(-1).flatten(0, 1).to(generator.device)
        codes = torch.multinomial(chances, 1, generator=generator).to(logits.device)
        return _one_hot(codes.view(logits.shape[:-1]), logits)

    return choose


def check_finite(scores: Tensor) -> None:
    """Raise InputError for scores from which nothing can be drawn."""
    if not scores.isfinite().all():
        raise InputError(
            "The model computed scores that are not finite numbers.",
            hint="Its weights are unusable; use another model file.",
        )


def gumbel(generator: torch.Generator) -> Choose:
    """Return the hard choice of `F.gumbel_softmax`, which draws the same noise, but from `generator`.

    It has no temperature, because that would scale logits and noise alike: it draws from the softmax at
    temperature 1.
    """

    def choose(logits: Tensor) -> Tensor:
        noise = torch.empty(logits.shape, device=generator.device).exponential_(generator=generator).log()
        return likeliest(logits - noise.to(logits))

    return choose


def straight_through(tau: float) -> Choose:
    """Return a choice for training: a draw from the softmax that has the gradient of the soft choice at
    temperature `tau` (straight-through). Its noise comes from torch's global generator.
    """
    return lambda logits: F.gumbel_softmax(logits, tau, hard=True)


def given(codes: Int[Tensor, "batch tokens"]) -> Choose:
    """Return a choice that takes `codes` and ignores the logits."""
    return lambda logits: _one_hot(codes, logits)


def _one_hot(
    codes: Int[Tensor, "batch tokens"], logits: Float[Tensor, "batch tokens codes"]
) -> Float[Tensor, "batch tokens codes"]:
    return F.one_hot(codes, logits.shape[-1]).to(logits.dtype)
