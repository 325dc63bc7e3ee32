"""Training of the generator on a frozen prior: surface, codes, motion over time, and emotion.

Axis names: `batch`, `frames`, `coeffs`, `top` and `bottom` tokens. DEEPTalk, section 3.3. Stage 1 is the
surface term; of stage 2, consistency and swap of emotion are here. The lip-reading term is not: it looks at
rendered lips through a network that must be downloaded.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.face.head import Head
from talkcli.engine.losses.motion import Surface, velocity_error
from talkcli.engine.models.deeptalk import NOBODY, Choose, DeepTalk, Predicted
from talkcli.engine.train.batches import Batch
from talkcli.engine.types import Config


class DeepTalkObjectiveConfig(Config):
    """Weights of the terms."""

    vertex_weight: float = 1.0
    """Of the squared vertex distance in mm^2."""
    velocity_weight: float = 0.0
    """Of the squared difference of vertex steps, mm^2."""
    code_weight: float = 0.0
    """Of the cross-entropy to the prior's codes of the true motion."""
    guess_weight: float = 0.0
    """Of a plain regression of standardised coefficients beside the codes."""
    teacher_share: float = 0.0
    """Share of windows whose bottom codes are predicted under the true top codes; needed by the bottom's
    cross-entropy."""
    consistency_weight: float = 0.0
    """Of one minus the cosine between the emotion of the speech and of the motion made."""
    swap_weight: float = 0.0
    """Of the same after neighbours in the batch have exchanged their emotion."""
    swap_share: float = 1.0
    """Share of the batch that takes part in the exchange: a second pass through the generator costs time."""
    tau: tuple[float, float] = (2.0, 0.1)
    """Temperature of the straight-through Gumbel-softmax at the start and the end."""
    nobody_share: float = 0.0
    """Share of windows trained without a speaker, so that nobody in particular can be asked for."""
    vertices: int = 1000
    """Vertices looked at; half of them on the lips."""
    lip_weight: float = 1.0
    """Of a lip vertex against any other."""


class DeepTalkObjective:
    """The loss of the generator, and its measures."""

    def __init__(self, model: DeepTalk, config: DeepTalkObjectiveConfig, head: Head) -> None:
        self.model = model
        self.config = config
        self.surface = Surface(head, vertices=config.vertices, lip_weight=config.lip_weight)

    def to(self, device: torch.device) -> None:
        self.model.to(device)
        self.surface.to(device)

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        config, model = self.config, self.model
        tau = config.tau[0] + (config.tau[1] - config.tau[0]) * progress
        with torch.no_grad():
            heard = model.dee.embed_speech(batch.features)
            codes = model.prior(batch.coeffs)
        content = model.content(batch.features)
        taught = torch.rand(len(content), device=content.device) < config.teacher_share
        sample = _sampler(tau)

        def sample_or_copy(logits: Tensor) -> Tensor:
            true = F.one_hot(codes.top, logits.shape[-1]).to(logits.dtype)
            return torch.where(taught[:, None, None], true, sample(logits))

        made = self._predict(content, heard.mean, batch.speaker, sample, choose_top=sample_or_copy)
        surface, true = self.surface(made.coeffs), self.surface(batch.coeffs)
        scale = model.prior.motion_scale
        terms = {
            "vertex": self.surface.squared_error(surface, true),
            "velocity": velocity_error(surface, true),
            "top": F.cross_entropy(made.top_logits.flatten(0, 1), codes.top.flatten()),
            "bottom": _masked_cross_entropy(made.bottom_logits, codes.bottom, taught),
            "guess": F.mse_loss(scale(made.guess), scale(batch.coeffs)),
        }
        total = (
            config.vertex_weight * terms["vertex"]
            + config.velocity_weight * terms["velocity"]
            + config.code_weight * (terms["top"] + terms["bottom"])
            + config.guess_weight * terms["guess"]
        )
        if config.consistency_weight > 0:
            terms["consistency"] = _apart(heard.mean, model.dee.embed_motion(made.coeffs).mean)
            total = total + config.consistency_weight * terms["consistency"]
        if config.swap_weight > 0:
            count = max(round(config.swap_share * len(content)), 1)
            others = heard.mean.roll(1, 0)[:count]
            swapped = self._predict(content[:count], others, batch.speaker[:count], _sampler(tau))
            terms["swap"] = _apart(others, model.dee.embed_motion(swapped.coeffs).mean)
            total = total + config.swap_weight * terms["swap"]
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        model, lips, top, bottom, apart = self.model, [], [], [], []
        for batch in batches:
            codes, heard = model.prior(batch.coeffs), model.dee.embed_speech(batch.features)
            content, identity = model.content(batch.features), model.identity(batch.speaker)
            made = model(content, heard.mean, identity, _likeliest, _likeliest)
            lips.append(
                self.surface.lip_error_mm(self.surface(made.coeffs), self.surface(batch.coeffs)).flatten()
            )
            top.append((made.top_logits.argmax(-1) == codes.top).float().flatten())
            bottom.append((made.bottom_logits.argmax(-1) == codes.bottom).float().flatten())
            apart.append(_apart(heard.mean, model.dee.embed_motion(made.coeffs).mean).reshape(1))
        lip_mm = float(torch.cat(lips).mean())
        return {
            "score": lip_mm,
            "lip_error_mm": lip_mm,
            "top_accuracy": float(torch.cat(top).mean()),
            "bottom_accuracy": float(torch.cat(bottom).mean()),
            "emotion_cosine": 1 - float(torch.cat(apart).mean()),
        }

    def _predict(
        self,
        content: Float[Tensor, "batch frames width"],
        emotion: Float[Tensor, "batch embedding"],
        speaker: Int[Tensor, "batch"],
        sample: Choose,
        *,
        choose_top: Choose | None = None,
    ) -> Predicted:
        """One pass with sampled codes; some windows forget who speaks."""
        nobody = torch.rand(len(content), device=content.device) < self.config.nobody_share
        identity = self.model.identity(torch.where(nobody, NOBODY, speaker))
        return self.model(content, emotion, identity, choose_top or sample, sample)


def _sampler(tau: float) -> Choose:
    """Draws from the softmax of logits, with the gradient of a softer choice at temperature `tau`."""
    return lambda logits: F.gumbel_softmax(logits, tau, hard=True)


def _likeliest(logits: Float[Tensor, "batch tokens codes"]) -> Float[Tensor, "batch tokens codes"]:
    return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)


def _apart(
    left: Float[Tensor, "batch embedding"], right: Float[Tensor, "batch embedding"]
) -> Float[Tensor, ""]:
    """One minus the mean cosine."""
    return 1 - F.cosine_similarity(left, right).mean()


def _masked_cross_entropy(
    logits: Float[Tensor, "batch tokens codes"],
    codes: Int[Tensor, "batch tokens"],
    chosen: Bool[Tensor, "batch"],
) -> Float[Tensor, ""]:
    """Cross-entropy over the chosen windows; zero when none is."""
    each = F.cross_entropy(logits.transpose(1, 2), codes, reduction="none").mean(1)
    return (each * chosen).sum() / chosen.sum().clamp_min(1)
