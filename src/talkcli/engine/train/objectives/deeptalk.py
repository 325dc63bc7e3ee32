"""The loss of the generator on a frozen prior: terms of surface, codes, lip reading and emotion.

Axis names: `batch`, `frames`, `coeffs`, `tokens` of a level, `embedding`. DEEPTalk, section 3.3 and appendix
A.9. Stage 1 is the surface term alone; stage 2 adds lip reading, consistency of emotion, and both after a
swap of emotions. The defaults are stage 1 of the released code; recipes hold the rest. Vertices are in
millimetres here: a weight that the paper states for square metres is divided by 1e6. One thing differs: after
a swap of emotions this loss compares the lips with the true lips of the same words; the released code
compares them with the true lips of the other clip.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.errors import UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.losses.csd import csd
from talkcli.engine.losses.lip_reading import LipReading
from talkcli.engine.losses.motion import SurfaceDistance, velocity_error
from talkcli.engine.models.deeptalk import choose
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.models.deeptalk.level import Level
from talkcli.engine.models.deeptalk.performance import Predicted
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Share, Weight
from talkcli.engine.train.objectives.dee import exact
from talkcli.engine.train.objectives.second_stage import LipReadingTerms, neighbours
from talkcli.engine.types import NOBODY

Temperature = Annotated[float, Field(ge=1e-3, le=1e3)]


class DeepTalkObjectiveConfig(LipReadingTerms):
    """Weights of the terms of the generator's loss, and their variants."""

    vertex_weight: Weight = 1.0
    """Weight of the squared vertex distance in mm^2."""
    velocity_weight: Weight = 0.0
    """Weight of the squared difference of the vertices' frame-to-frame steps, in mm^2."""
    code_weight: Weight = 0.0
    """Weight of the cross-entropy to the codes that the prior gives the true motion; for a prior with
    latents, of the squared distance to these."""
    guess_weight: Weight = 0.0
    """Weight of the squared error of a direct regression of standardised coefficients, which skips the codes;
    needs `model.guess`."""
    teacher_share: Share = 0.0
    """Share of windows whose fast codes are predicted from the true slow codes (teacher forcing). Only these
    windows count in the error of the fast codes."""
    consistency_weight: Weight = 0.0
    """Weight of the distance between the emotion of the speech and of the generated motion."""
    consistency: Literal["csd", "cosine"] = "csd"
    """The distance of emotions. csd, as in the code: the binary cross-entropy of "these two match", whose
    logit falls with the closed-form sampled distance. cosine, as in the paper: one minus the cosine of the
    means."""
    swap_weight: Weight = 0.0
    """Weight of the distance of emotions for motion generated with the emotion of another row (swap)."""
    swap: Literal["pairs", "roll"] = "pairs"
    """Source of the swapped emotion: with `pairs` neighbouring rows exchange theirs, with `roll` each row
    takes that of the row before."""
    swap_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the batch that is generated a second time, under another emotion; the time grows by this
    share.
    """
    swap_tau: Temperature | None = 0.1
    """Temperature of the code choices under the swapped emotion; null uses `tau`."""
    tau: tuple[Temperature, Temperature] = (2.0, 0.1)
    """Temperature of the straight-through Gumbel-softmax at the start and at the end of training."""
    nobody_share: Share = 0.0
    """Share of windows trained without a speaker, so that the model can perform without an actor."""
    directed_share: Share = 0.0
    """Share of windows generated from the anchor of their emotion label, at its intensity, in place of the
    emotion embedded from the speech. It teaches the model to follow a requested emotion, and needs an
    embedding with anchors."""
    vertices: Annotated[int, Field(gt=1, le=10**6)] | None = None
    """Number of vertices that the vertex distance compares, half of them on the lips; null: all."""
    lip_vertex_weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    """Weight of a lip vertex relative to any other vertex."""


class DeepTalkObjective(nn.Module):
    """Loss and validation measures of the generator."""

    def __init__(
        self,
        model: DeepTalk,
        config: DeepTalkObjectiveConfig,
        head: Head,
        lip_reading: LipReading | None = None,
    ) -> None:
        """Raise UsageError for a weighed term without its lip reader, plain regression or anchors."""
        super().__init__()
        config.check_reader(lip_reading)
        if config.guess_weight > 0 and model.guess is None:
            raise UsageError(
                "objective.guess_weight needs a model with a direct regression.",
                hint="Add `set=model.guess=true`, or set objective.guess_weight to 0.",
            )
        if config.directed_share > 0 and not model.dee.config.anchors:
            raise UsageError(
                "objective.directed_share needs an emotion embedding with anchors.",
                hint="Train the embedding with model.anchors=true, or set objective.directed_share to 0.",
            )
        self.model = model
        self.config = config
        self.surface = SurfaceDistance(head, vertices=config.vertices, lip_weight=config.lip_vertex_weight)
        self.lip_reading = lip_reading

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Return the loss of one batch and its terms; optional terms appear only if they are switched on."""
        config, model = self.config, self.model
        tau = config.tau[0] + (config.tau[1] - config.tau[0]) * progress
        with torch.no_grad():
            heard = exact(model.dee.embed_speech(batch.sound))
            asked = heard._replace(mean=self._directed(heard.mean, batch))
            told = config.code_weight > 0 or config.teacher_share > 0
            targets = model.prior.encode_targets(batch.motion) if told else []
        content = model.content(batch.sound).features
        taught = torch.rand(len(content), device=content.device) < config.teacher_share
        made = self._predict(content, asked.mean, batch.speaker, tau, taught=taught, targets=targets)
        surface, true = self.surface(made.coeffs), self.surface(batch.motion)
        terms = {"vertex": self.surface.squared_error(surface, true)}
        weights = {"vertex": config.vertex_weight}

        def add(name: str, weight: float, term: Tensor) -> None:
            terms[name], weights[name] = term, weight

        if config.velocity_weight > 0:
            add("velocity", config.velocity_weight, velocity_error(surface, true))
        everyone = torch.ones_like(taught)
        for index, target in enumerate(targets):
            level = model.prior.levels[index]
            error = _token_error(level, made.outputs[index], target, taught if index else everyone)
            add(level.name, config.code_weight, error)
        if made.guess is not None:
            scale = model.prior.motion_scale
            add("guess", config.guess_weight, F.mse_loss(scale(made.guess), scale(batch.motion)))
        if config.consistency_weight > 0:
            add("consistency", config.consistency_weight, self._apart(asked, made.coeffs))
        lips = self.lip_reading
        if lips is not None:
            with torch.no_grad():
                read = lips.features(batch.motion)
            if config.lip_reading_weight > 0:
                add("lip_reading", config.lip_reading_weight, lips(made.coeffs, read))
        if config.swap_weight > 0 or config.swap_lip_reading_weight > 0:
            count = max(round(config.swap_share * len(content)), 1)
            others = self._others(asked, count)
            swap_tau = tau if config.swap_tau is None else config.swap_tau
            swapped = self._predict(content[:count], others.mean, batch.speaker[:count], swap_tau)
            add("swap", config.swap_weight, self._apart(others, swapped.coeffs))
            if lips is not None and config.swap_lip_reading_weight > 0:
                misread = lips(swapped.coeffs, read[:count])
                add("swap_lip_reading", config.swap_lip_reading_weight, misread)
        total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the errors of the most probable motion; `score` is the lip vertex error in mm."""
        model, lips, apart = self.model, [], []
        levels = [(index, level) for index, level in enumerate(model.prior.levels) if level.discrete]
        hits: dict[str, list[Tensor]] = {f"{level.name}_accuracy": [] for _, level in levels}
        for batch in batches:
            codes, heard = model.prior.encode_targets(batch.motion), model.dee.embed_speech(batch.sound)
            # Without a width the emotion is not random.
            emotion = model.dee.felt(heard, None, torch.Generator())
            identity = model.identity(batch.speaker)
            choices = [choose.likeliest] * len(model.prior.levels)
            made = model(model.content(batch.sound).features, emotion, identity, choices)
            error = self.surface.lip_error_mm(self.surface(made.coeffs), self.surface(batch.motion))
            lips.append(error.flatten())
            for index, level in levels:
                hit = made.choices[index].argmax(-1) == codes[index]
                hits[f"{level.name}_accuracy"].append(hit.float().flatten())
            apart.append(_cosine_error(heard, model.dee.embed_motion(made.coeffs)).reshape(1))
        lip_mm = float(torch.cat(lips).mean())
        return {
            "score": lip_mm,
            "lip_error_mm": lip_mm,
            **{name: float(torch.cat(found).mean()) for name, found in hits.items()},
            "emotion_cosine": 1 - float(torch.cat(apart).mean()),
        }

    def _predict(
        self,
        content: Float[Tensor, "batch frames width"],
        emotion: Float[Tensor, "batch embedding"],
        speaker: Int[Tensor, "batch"],
        tau: float,
        *,
        taught: Bool[Tensor, "batch"] | None = None,
        targets: list[Tensor] | None = None,
    ) -> Predicted:
        """Return one pass with sampled codes; `taught` windows go on from the codes in `targets` instead.
        Some windows lose their speaker.
        """
        nobody = torch.rand(len(content), device=content.device) < self.config.nobody_share
        identity = self.model.identity(torch.where(nobody, NOBODY, speaker))
        sample = choose.straight_through(tau)
        choices = [sample] * len(self.model.prior.levels)
        if taught is not None and targets:
            choices[:-1] = [_some(taught, choose.given(target), sample) for target in targets[:-1]]
        return self.model(content, emotion, identity, choices)

    def _directed(
        self, heard: Float[Tensor, "batch embedding"], batch: Batch
    ) -> Float[Tensor, "batch embedding"]:
        """Replace the embedded emotion by the anchor of the row's label, in a random share of the rows,
        where the embedding has that anchor.
        """
        if self.config.directed_share == 0:
            return heard
        dee = self.model.dee
        asked = torch.rand(len(heard), device=heard.device) < self.config.directed_share
        asked &= dee.anchors[batch.emotion].any(dim=-1)
        return torch.where(asked[:, None], dee.towards(batch.emotion, batch.level), heard)

    def _others(self, heard: Gaussian, count: int) -> Gaussian:
        """Return the emotion of another row for each of the first `count` rows."""
        rows, device = len(heard.mean), heard.mean.device
        if self.config.swap == "roll":
            partners = torch.arange(rows, device=device).roll(1)
        else:
            partners = neighbours(rows, device)
        return Gaussian(*(part[partners[:count]] for part in heard))

    def _apart(self, heard: Gaussian, coeffs: Float[Tensor, "batch frames coeffs"]) -> Float[Tensor, ""]:
        """Return the distance of the emotion of a motion from the emotion of speech."""
        dee = self.model.dee
        seen = exact(dee.embed_motion(coeffs))
        if self.config.consistency == "cosine":
            return _cosine_error(heard, seen)
        logits = dee.similarity_shift - dee.similarity_scale * csd(heard, seen).diagonal()
        return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def _cosine_error(heard: Gaussian, seen: Gaussian) -> Float[Tensor, ""]:
    """Return one minus the cosine of the two means, averaged over rows."""
    return 1 - F.cosine_similarity(heard.mean, seen.mean).mean()


def _some(rows: Bool[Tensor, "batch"], first: choose.Choose, second: choose.Choose) -> choose.Choose:
    """Return a choice that applies `first` to the given rows and `second` to the others."""
    return lambda logits: torch.where(rows[:, None, None], first(logits), second(logits))


def _token_error(
    level: Level,
    outputs: Float[Tensor, "batch tokens outputs"],
    target: Tensor,
    chosen: Bool[Tensor, "batch"],
) -> Float[Tensor, ""]:
    """Return the mean error over the chosen windows; zero if none is chosen.

    The error is the cross-entropy to the codes of a discrete level, else the squared distance to the latents.
    """
    if level.discrete:
        each = F.cross_entropy(outputs.transpose(1, 2), target, reduction="none").mean(1)
    else:
        each = (outputs - target).square().mean((1, 2))
    return (each * chosen).sum() / chosen.sum().clamp_min(1)
