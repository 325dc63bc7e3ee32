"""Training of DEE: a contrastive loss on Gaussians, a prior on their variances, and a classifier beside.

Axis names: `batch` (rows of this process), `all` (rows of all processes), `embedding`, `classes`. DEEPTalk,
section 3.1; weights are those of the released arguments unless a recipe says otherwise. Pseudo-positives and
mixup are PCME++'s, which the paper builds on and the released settings switch off.
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


class DeeObjectiveConfig(Config):
    """Weights and choices of the loss."""

    match: Literal["emotion", "emotion_and_level", "pair"] = "emotion"
    """Which speech and motion belong together."""
    vib_weight: Weight = 1e-6
    """Weight of the variances' prior."""
    pseudo_weight: Weight = 0.0
    """Weight of pseudo-positives; PCME++ uses 0.1."""
    mixup_alpha: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """Mix the speech of pairs of clips by a share from Beta(alpha, alpha); 0 off, PCME++ uses 2."""
    classifier_weight: Weight = 0.0
    """Weight of the classifier on the means of both sides."""
    spread_weight: Weight = 0.0
    """Weight of the term that makes the variance of speech predict the error of its mean. Without it only the
    prior teaches that variance: the contrast, which on small data drives it the wrong way, looks at the
    mean."""


class DeeObjective(nn.Module):
    """The loss of DEE, and its measures.

    Raises UsageError when the classifier has a weight and the model has none, or when the spread has one and
    the model has not what it is judged by.
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
                f"objective.spread_weight is {config.spread_weight}; the model has not both a classifier and "
                f"anchors.",
                hint="Add `set=model.classifier=true` `set=model.anchors=true`.",
            )
        self.model = model
        self.config = config

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        config, model = self.config, self.model
        sound, share, partner = self._mix(batch)
        speech, motion = exact(model.embed_speech(sound)), exact(model.embed_motion(batch.motion))
        # Every row is compared with every other, of all processes.
        all_speech, all_motion = (Gaussian(*map(gather, side)) for side in (speech, motion))
        compared = all_speech
        if config.spread_weight > 0:
            # A variance of zero.
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
        if config.spread_weight > 0:
            terms["spread"] = spread_loss(speech, self._error(speech.mean))
            terms["loss"] = terms["loss"] + config.spread_weight * terms["spread"]
        if model.training and model.config.anchors:
            model.move_anchors(all_motion.mean, gather(batch.emotion))
        return terms

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return recall of emotion in windows: of the nearest motion to speech, of the nearest speech to
        motion, and of the classifier where there is one, with how many times as often the surer half of
        speech is named right as the other half.
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
        named = model.classify(speech.mean).argmax(-1)
        found["speech_uar"] = recall(named, emotion)
        found["motion_uar"] = recall(model.classify(motion.mean).argmax(-1), emotion)
        with suppress(UndefinedMetricError):
            found["confident_ratio"] = confident_ratio(
                (named == emotion).cpu().numpy(), speech.log_variance.cpu().numpy()
            )
        # Either use of the embedding counts: telling emotions apart, and finding a face for a voice.
        return {"score": 1 - (found["speech_uar"] + found["speech_to_motion"]) / 2, **found}

    @torch.no_grad()
    def _error(self, mean: Float[Tensor, "batch embedding"]) -> Float[Tensor, "batch"]:
        """Return the squared distance to be expected between speech and its motion, by what the classifier
        makes of the mean. A label's own clips would say it with more noise.
        """
        distance = torch.cdist(mean, self.model.anchors).square()
        return (self.model.classify(mean).softmax(-1) * distance).sum(-1)

    def _mix(self, batch: Batch) -> tuple[Sound, Float[Tensor, "batch"], Int[Tensor, "batch"]]:
        """Return speech to hear, the share of it that is a row's own, and the row that the rest comes
        from.
        """
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
        """Return how far each speech (rows) and motion (columns) of all processes belong together."""
        matched = matches(self._labels(gather(batch.emotion), gather(batch.level))).to(share)
        # Partners are counted within a process.
        partners = gather(partner)
        partners = partners + torch.arange(len(partners), device=partners.device) // len(batch) * len(batch)
        return _blend(gather(share), matched, matched[partners])

    def _labels(self, emotion: Int[Tensor, "all"], level: Float[Tensor, "all"]) -> Int[Tensor, "all"]:
        if self.config.match == "pair":
            return torch.arange(len(emotion), device=emotion.device)
        if self.config.match == "emotion":
            return emotion
        # Levels are stored as shares; a hundred steps keep any data set's levels apart.
        return emotion * 101 + (level * 100).round().long()


def exact(gaussian: Gaussian) -> Gaussian:
    """Convert to full precision, since distances are small differences."""
    return Gaussian(gaussian.mean.float(), gaussian.log_variance.float())


def _blend(share: Float[Tensor, "rows"], one: Tensor, other: Tensor) -> Tensor:
    """Return `share` of every row of `one`, the rest from `other`."""
    share = share.view(-1, *(1 for _ in one.shape[1:]))
    return share * one + (1 - share) * other


def _joined(parts: list[Gaussian]) -> Gaussian:
    return Gaussian(
        torch.cat([part.mean for part in parts]), torch.cat([part.log_variance for part in parts])
    )
