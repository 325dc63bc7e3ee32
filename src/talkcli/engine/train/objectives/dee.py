"""Training of DEE: a contrastive loss on Gaussians, a prior on their variances, and optionally a classifier.

Axis names: `batch` (rows of this process), `all` (rows of all processes), `embedding`, `classes`. Source:
DEEPTalk, section 3.1; the default weights are those of the released arguments. Pseudo-positives and mixup
come from PCME++, on which the paper builds; the released settings switch them off.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Sound
from talkcli.engine.errors import UsageError
from talkcli.engine.losses.csd import csd, csd_loss, matches, spread_loss, vib_loss
from talkcli.engine.metrics.confidence import confident_ratio
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.gather import gather
from talkcli.engine.train.objective import Weight
from talkcli.engine.train.objectives.fer import recall
from talkcli.engine.types import EMOTIONS, Config

# Calibrated probability above which speech counts as neutral in validation.
_SURE = 0.5


class DeeObjectiveConfig(Config):
    """Weights and variants of the loss of DEE."""

    match: Literal["emotion", "emotion_and_level", "pair"] = "emotion"
    """What speech and motion must share to be a positive pair: emotion, emotion and level, or the clip."""
    vib_weight: Weight = 1e-6
    """Weight of the divergence of the Gaussians from the standard normal, the prior of the variances."""
    pseudo_weight: Weight = 0.0
    """Weight of the loss with pseudo-positives; 0 is off, PCME++ uses 0.1."""
    mixup_alpha: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """Alpha of the distribution Beta(alpha, alpha) from which the mixing share of pairs of speech is drawn; 0
    switches mixup off, PCME++ uses 2."""
    classifier_weight: Weight = 0.0
    """Weight of the cross-entropy of the classifier on the means of speech and of motion."""
    level_weight: Weight = 0.0
    """Weight of the squared error of the level that `Moods` predicts for speech that is not neutral."""
    spread_weight: Weight = 0.0
    """Weight of the term that makes the variance of speech predict the squared error of its mean. If it is
    above 0, the contrastive loss uses only the mean of speech: on small data (hundreds of clips) that loss
    drives the variance the wrong way, and clips with the smaller variance are classified correctly less
    often."""


class DeeObjective(nn.Module):
    """Loss and validation measures of DEE.

    The constructor raises UsageError when `classifier_weight` is set and the model has no classifier, or when
    `spread_weight` is set and the model lacks a classifier or anchors.
    """

    def __init__(self, model: Dee, config: DeeObjectiveConfig) -> None:
        super().__init__()
        if config.classifier_weight > 0 and not model.config.classifier:
            raise UsageError(
                f"objective.classifier_weight is {config.classifier_weight}; the model has no classifier.",
                hint="Add `set=model.classifier=true`.",
            )
        if config.spread_weight > 0 and not (model.config.classifier and model.config.anchors):
            raise UsageError(
                f"objective.spread_weight is {config.spread_weight}; it needs a model with a classifier and "
                f"anchors.",
                hint="Add `set=model.classifier=true` `set=model.anchors=true`.",
            )
        if config.level_weight > 0 and not model.config.moods:
            raise UsageError(
                f"objective.level_weight is {config.level_weight}; it needs a model with moods.",
                hint="Add `set=model.moods=true`.",
            )
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        config, model = self.config, self.model
        sound, share, partner = self._mix(batch)
        speech, motion = exact(model.embed_speech(sound)), exact(model.embed_motion(batch.motion))
        # The loss compares every row with every other row of all processes.
        all_speech, all_motion = (Gaussian(*map(gather, side)) for side in (speech, motion))
        compared = all_speech
        if config.spread_weight > 0:
            # A variance of zero: the contrastive loss then uses only the mean of speech.
            compared = Gaussian(all_speech.mean, torch.full_like(all_speech.log_variance, -torch.inf))
        logits = model.similarity_shift - model.similarity_scale * csd(compared, all_motion)
        contrast = csd_loss(logits, self._targets(batch, share, partner), pseudo_weight=config.pseudo_weight)
        vib = vib_loss(speech) + vib_loss(motion)
        terms = {"loss": contrast + config.vib_weight * vib, "contrast": contrast, "vib": vib}
        if model.config.classifier:
            classes = F.one_hot(batch.emotion, len(EMOTIONS)).to(share)
            heard = _blend(share, classes, classes[partner])
            terms["classified"] = F.cross_entropy(model.classify(speech.mean), heard) + F.cross_entropy(
                model.classify(motion.mean), classes
            )
            terms["loss"] = terms["loss"] + config.classifier_weight * terms["classified"]
        if config.level_weight > 0:
            strong = (batch.emotion != EMOTIONS.index("neutral")).to(share)
            error = (model.moods.strength(speech.mean) - batch.level).square()
            terms["level"] = (error * strong).sum() / strong.sum().clamp_min(1)
            terms["loss"] = terms["loss"] + config.level_weight * terms["level"]
        if config.spread_weight > 0:
            terms["spread"] = spread_loss(speech, self._error(speech.mean))
            terms["loss"] = terms["loss"] + config.spread_weight * terms["spread"]
        if model.training and model.config.anchors:
            model.move_anchors(all_motion.mean, gather(batch.emotion))
        return terms

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the unweighted average recall of emotion over windows, and the mean log-variance of speech.

        The recalls are those of the nearest motion to each speech and of the nearest speech to each motion.
        With a classifier the result also has the recalls of the classifier for speech and for motion, and
        `confident_ratio`: how many times as often it is right for the half of the speech with the smaller
        variance as for the other half. A model with moods is calibrated on `batches`; its result also has the
        share of neutral speech with a calibrated probability of neutral above one half, and that share of
        other speech.
        """
        model = self.model
        speech = _joined([model.embed_speech(batch.sound) for batch in batches])
        motion = _joined([model.embed_motion(batch.motion) for batch in batches])
        emotion = torch.cat([batch.emotion for batch in batches])
        distance = csd(speech, motion)
        found = {
            "speech_to_motion": recall(emotion[distance.argmin(1)], emotion),
            "motion_to_speech": recall(emotion[distance.argmin(0)], emotion),
            "speech_log_variance": float(speech.log_variance.mean()),
        }
        if not model.config.classifier:
            return {"score": 1 - (found["speech_to_motion"] + found["motion_to_speech"]) / 2, **found}
        logits = model.classify(speech.mean)
        if model.config.moods:
            model.moods.calibrate(logits, emotion)
            at = EMOTIONS.index("neutral")
            sure = model.chances(speech.mean)[:, at] > _SURE
            for name, rows in (("neutral_kept", emotion == at), ("others_lost", emotion != at)):
                if rows.any():
                    found[name] = float(sure[rows].float().mean())
        named = logits.argmax(-1)
        found["speech_uar"] = recall(named, emotion)
        found["motion_uar"] = recall(model.classify(motion.mean).argmax(-1), emotion)
        with suppress(UndefinedMetricError):
            found["confident_ratio"] = confident_ratio(
                (named == emotion).cpu().numpy(), speech.log_variance.cpu().numpy()
            )
        # The score counts both uses of the embedding: classifying emotion, and retrieving motion for speech.
        return {"score": 1 - (found["speech_uar"] + found["speech_to_motion"]) / 2, **found}

    @torch.no_grad()
    def _error(self, mean: Float[Tensor, "batch embedding"]) -> Float[Tensor, "batch"]:
        """Return the expected squared distance from each mean to the anchors, by the classifier's softmax.

        It estimates the distance between speech and its motion; the motion of the label's own clips would
        give a noisier estimate.
        """
        distance = torch.cdist(mean, self.model.anchors).square()
        return (self.model.classify(mean).softmax(-1) * distance).sum(-1)

    def _mix(self, batch: Batch) -> tuple[Sound, Float[Tensor, "batch"], Int[Tensor, "batch"]]:
        """Return the mixed speech, the share of each row's own speech, and the row of the remaining share."""
        device, rows = batch.motion.device, len(batch)
        share = torch.ones(rows, device=device)
        if self.config.mixup_alpha == 0:
            return batch.sound, share, torch.arange(rows, device=device)
        alpha = self.config.mixup_alpha
        share = share * torch.distributions.Beta(alpha, alpha).sample().to(share)
        partner = torch.randperm(rows, device=device)
        sound = {name: _blend(share, steps, steps[partner]) for name, steps in batch.sound.items()}
        return sound, share, partner

    def _targets(
        self, batch: Batch, share: Float[Tensor, "batch"], partner: Int[Tensor, "batch"]
    ) -> Float[Tensor, "all all"]:
        """Return the match in [0, 1] of each speech (row) with each motion (column) of all processes."""
        matched = matches(self._labels(gather(batch.emotion), gather(batch.level))).to(share)
        # Partners are row numbers within a process; add the number of its first row.
        partners = gather(partner)
        partners = partners + torch.arange(len(partners), device=partners.device) // len(batch) * len(batch)
        return _blend(gather(share), matched, matched[partners])

    def _labels(self, emotion: Int[Tensor, "all"], level: Float[Tensor, "all"]) -> Int[Tensor, "all"]:
        if self.config.match == "pair":
            return torch.arange(len(emotion), device=emotion.device)
        if self.config.match == "emotion":
            return emotion
        # Levels are in [0, 1]; a hundred steps are enough to separate the levels of any data set.
        return emotion * 101 + (level * 100).round().long()


def exact(gaussian: Gaussian) -> Gaussian:
    """Convert `gaussian` to float32: distances are small differences, which bfloat16 would lose."""
    return Gaussian(gaussian.mean.float(), gaussian.log_variance.float())


def _blend(share: Float[Tensor, "rows"], one: Tensor, other: Tensor) -> Tensor:
    """Return the weighted sum of each row: `share` of `one` and the rest of `other`."""
    share = share.view(-1, *(1 for _ in one.shape[1:]))
    return share * one + (1 - share) * other


def _joined(parts: list[Gaussian]) -> Gaussian:
    return Gaussian(
        torch.cat([part.mean for part in parts]), torch.cat([part.log_variance for part in parts])
    )
