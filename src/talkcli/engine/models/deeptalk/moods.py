"""Moods: which emotions a voice allows and how strong they are, and draws among them.

Axis names: `batch`, `embedding`, `classes` (`EMOTIONS`). This is ours, for the embedded model. DEEPTalk draws
a point around the mean of speech (section 3.3), and every direction away from the mean is as likely. On an
embedding of a few speakers that point may lie at any emotion: a neutral voice then scowls with one seed and
smiles with another. Here a draw first chooses a mood as often as the voice allows it, then a strength; it
keeps DEEPTalk's formula for the width, exp(sigma * log-variance / 2).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.models.deeptalk.choose import check_finite
from talkcli.engine.types import EMOTIONS

# Share of neutral among the clips for which calibrated probabilities hold. Most speech is neutral; training
# draws it as rarely as any other emotion.
_NEUTRAL_SHARE = 0.5
# Weight decay of the calibration, which keeps it finite where the clips are separable.
_DECAY = 0.01
# Number of moods among which a draw chooses: the likeliest ones.
_CHOICES = 2
# Least probability of a mood that is drawn, as a share of the likeliest mood's.
_LEAST = 0.2
# Bounds of a draw's width: at 1 moods are drawn as often as they are likely.
_WIDTHS = (0.02, 2.0)
# Standard deviation of a drawn strength at a width of 1, as a share of the full strength.
_STRENGTH_SPREAD = 0.2
# Temperature of the codes of takes drawn with a width of 1.
WARMTH = 1.0
# Least and greatest strength of a mood: below the first, the embedded generator shows a neutral face.
_WEAKEST, _STRONGEST = 0.5, 1.0
_NEUTRAL = EMOTIONS.index("neutral")


class Mood(NamedTuple):
    """An emotion (an index of `EMOTIONS`) and its strength, a share of the way from neutral to its anchor."""

    emotion: Int[Tensor, "batch"]
    strength: Float[Tensor, "batch"]


class Moods(nn.Module):
    """Calibration of a classifier of emotions, and a regression of their level from the embedding's mean."""

    scale: Float[Tensor, ""]
    bias: Float[Tensor, "classes"]

    def __init__(self, embedding: int) -> None:
        super().__init__()
        self.level = nn.Linear(embedding, 1)
        # Fitted by `calibrate`; a model that was never validated is taken at its word.
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("bias", torch.zeros(len(EMOTIONS)))

    def chances(
        self, logits: Float[Tensor, "batch classes"], known: Bool[Tensor, "classes"]
    ) -> Float[Tensor, "batch classes"]:
        """Return calibrated probabilities of the `known` emotions; those of others are 0. Where none is
        known, as before any training, all are allowed.
        """
        known = known | ~known.any()
        return (logits * self.scale + self.bias).masked_fill(~known, -torch.inf).softmax(-1)

    def strength(self, mean: Float[Tensor, "batch embedding"]) -> Float[Tensor, "batch"]:
        """Return the level of the emotion in [0, 1] that the embedding tells."""
        return self.level(mean * mean.shape[-1] ** 0.5)[:, 0].sigmoid()

    @torch.no_grad()
    def calibrate(self, logits: Float[Tensor, "batch classes"], emotion: Int[Tensor, "batch"]) -> None:
        """Fit the scale of the logits, and the bias of neutral, to clips that no weight was trained on (Platt
        scaling, Guo et al. 2017).

        Neutral clips weigh `_NEUTRAL_SHARE` in all, the other emotions the rest in equal parts. The other
        emotions get no biases: those of the few clips at hand would be those of their speakers.
        """
        counts = torch.bincount(emotion, minlength=len(EMOTIONS)).double()
        there = counts > 0
        shares = there / (there.sum() - there[_NEUTRAL].long()).clamp_min(1).double()
        if there[_NEUTRAL] and there.sum() > 1:
            shares *= 1 - _NEUTRAL_SHARE
            shares[_NEUTRAL] = _NEUTRAL_SHARE
        weights = (shares / counts.clamp_min(1))[emotion]
        scale, bias = _platt(logits.double(), emotion, weights, there)
        self.scale.fill_(scale)
        self.bias.zero_()
        self.bias[_NEUTRAL] = bias

    def draw(
        self,
        chances: Float[Tensor, "batch classes"],
        strength: Float[Tensor, "batch"],
        log_variance: Float[Tensor, "batch embedding"],
        sigma: float | None,
        generator: torch.Generator,
    ) -> Mood:
        """Return one mood: without `sigma` the likeliest at its expected strength, else a draw.

        A narrow draw chooses the likeliest mood; a width of 1 chooses moods as often as they are likely.
        Draws choose only among the two likeliest moods, so that they never reverse a clear voice.

        Args:
            chances: Calibrated probabilities.
            strength: Expected strengths in [0, 1].
            log_variance: Uncertainty of the embedding, which gives the width of the draw (`width_of`).
            sigma: Factor on the log-variance, as in `Gaussian.sample`.
            generator: Source of the draw.
        """
        expected = _WEAKEST + (_STRONGEST - _WEAKEST) * strength.float()
        if sigma is None:
            emotion = chances.argmax(-1)
            return Mood(emotion, torch.where(emotion == _NEUTRAL, 0.0, expected))
        check_finite(chances)
        width = width_of(log_variance, sigma)
        check_finite(width)
        top = chances.float().topk(_CHOICES, dim=-1)
        likely = top.values.masked_fill(top.values < _LEAST * top.values[:, :1], 0.0)
        flattened = (likely.log() / width[:, None]).softmax(-1).to(generator.device)
        place = torch.multinomial(flattened, 1, generator=generator).to(chances.device)
        emotion = top.indices.gather(-1, place)[:, 0]
        drawn = varied(expected, width, generator)
        return Mood(emotion, torch.where(emotion == _NEUTRAL, 0.0, drawn))


def width_of(log_variance: Float[Tensor, "batch embedding"], sigma: float) -> Float[Tensor, "batch"]:
    """Return the width of a draw: exp(sigma * v / 2) for the mean log-variance v, within bounds. As in
    `Gaussian.sample`, a `sigma` of 0 equals 1.
    """
    exponent = (sigma or 1.0) * log_variance.float().mean(-1) / 2
    return exponent.clamp(-20, 20).exp().clamp(*_WIDTHS)


def varied(
    strength: Float[Tensor, "batch"], width: Float[Tensor, "batch"], generator: torch.Generator
) -> Float[Tensor, "batch"]:
    """Return a strength drawn around `strength`, among those that show."""
    noise = torch.randn(len(strength), generator=generator, device=generator.device).to(strength)
    return (strength + _STRENGTH_SPREAD * width.clamp_max(1) * noise).clamp(_WEAKEST, _STRONGEST)


@torch.enable_grad()
def _platt(
    logits: Float[Tensor, "batch classes"],
    emotion: Int[Tensor, "batch"],
    weights: Float[Tensor, "batch"],
    there: Bool[Tensor, "classes"],
) -> tuple[float, float]:
    """Return scale and bias of neutral that minimise the weighted cross-entropy over the emotions that are
    `there`, with a little weight decay.
    """
    logits = logits.detach()
    log_scale, bias = (
        torch.zeros((), dtype=torch.double, device=logits.device, requires_grad=True) for _ in range(2)
    )
    neutral = F.one_hot(torch.tensor(_NEUTRAL), logits.shape[-1]).to(logits)
    place = there.cumsum(0)[emotion] - 1
    optimiser = torch.optim.LBFGS([log_scale, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        scored = (logits * log_scale.exp() + bias * neutral)[:, there]
        error = (F.cross_entropy(scored, place, reduction="none") * weights).sum()
        error = error + _DECAY * (log_scale.square() + bias.square())
        error.backward()
        return error

    optimiser.step(loss)
    return float(log_scale.detach().exp()), float(bias.detach())
