"""Training of DEE: a contrastive loss on Gaussians, a prior on their variances, and a classifier beside.

Axis names: `batch`, `embedding`, `classes`. DEEPTalk, section 3.1; weights are those of the released
arguments unless a recipe says otherwise.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.losses.csd import csd, csd_loss, matches, vib_loss
from talkcli.engine.models.dee import Dee, Gaussian
from talkcli.engine.train.batches import Batch
from talkcli.engine.types import EMOTIONS, Config


class DeeObjectiveConfig(Config):
    """Weights and choices of the loss."""

    match: Literal["emotion", "emotion_and_level", "pair"] = "emotion"
    """Which speech and motion belong together."""
    vib_weight: float = 1e-6
    """Of the variances' prior."""
    pseudo_weight: float = 0.0
    """Of pseudo-positives; PCME++ uses 0.1."""
    mixup_alpha: float = 0.0
    """Mix speech features of pairs of clips by a share from Beta(alpha, alpha); 0 off."""
    classifier_weight: float = 0.0
    """Of the classifier on the means of both sides."""


class DeeObjective:
    """The loss of DEE, and its measures."""

    def __init__(self, model: Dee, config: DeeObjectiveConfig) -> None:
        self.model = model
        self.config = config

    def to(self, device: torch.device) -> None:
        self.model.to(device)

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        config, model = self.config, self.model
        labels = self._labels(batch)
        targets = matches(labels).to(batch.features.dtype)
        classes = F.one_hot(batch.emotion, len(EMOTIONS)).to(targets.dtype)
        features, speech_classes = batch.features, classes
        if config.mixup_alpha > 0:
            share = torch.distributions.Beta(config.mixup_alpha, config.mixup_alpha).sample().to(features)
            order = torch.randperm(len(features), device=features.device)
            features = share * features + (1 - share) * features[order]
            targets = share * targets + (1 - share) * targets[order]
            speech_classes = share * classes + (1 - share) * classes[order]
        speech, motion = model.embed_speech(features), model.embed_motion(batch.coeffs)
        logits = model.similarity_shift - model.similarity_scale * csd(speech, motion)
        contrast = csd_loss(logits, targets, pseudo_weight=config.pseudo_weight)
        vib = vib_loss(speech) + vib_loss(motion)
        classified = F.cross_entropy(model.classify(speech.mean), speech_classes) + F.cross_entropy(
            model.classify(motion.mean), classes
        )
        total = contrast + config.vib_weight * vib + config.classifier_weight * classified
        return {"loss": total, "contrast": contrast, "vib": vib, "classified": classified}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        model = self.model
        speech = _joined([model.embed_speech(batch.features) for batch in batches])
        motion = _joined([model.embed_motion(batch.coeffs) for batch in batches])
        emotion = torch.cat([batch.emotion for batch in batches])
        distance = csd(speech, motion)
        found = {
            "speech_uar": _uar(model.classify(speech.mean).argmax(-1), emotion),
            "motion_uar": _uar(model.classify(motion.mean).argmax(-1), emotion),
            "speech_to_motion": _uar(emotion[distance.argmin(1)], emotion),
            "motion_to_speech": _uar(emotion[distance.argmin(0)], emotion),
            "speech_log_variance": float(speech.log_variance.mean()),
        }
        # Either use of the embedding counts: telling emotions apart, and finding a face for a voice.
        return {"score": 1 - (found["speech_uar"] + found["speech_to_motion"]) / 2, **found}

    def _labels(self, batch: Batch) -> Int[Tensor, "batch"]:
        if self.config.match == "pair":
            return torch.arange(len(batch.emotion), device=batch.emotion.device)
        if self.config.match == "emotion":
            return batch.emotion
        # Levels are stored as shares; a hundred steps keep any data set's levels apart.
        return batch.emotion * 101 + (batch.level * 100).round().long()


def _joined(parts: list[Gaussian]) -> Gaussian:
    return Gaussian(
        torch.cat([part.mean for part in parts]), torch.cat([part.log_variance for part in parts])
    )


def _uar(guessed: Int[Tensor, "batch"], true: Int[Tensor, "batch"]) -> float:
    """Unweighted average recall: the mean over the emotions that occur of the share found."""
    hit: Float[Tensor, "batch"] = (guessed == true).float()
    return float(torch.stack([hit[true == label].mean() for label in true.unique()]).mean())
