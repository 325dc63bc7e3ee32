"""Training of the judge of emotion in pictures: cross-entropy on pictures of single frames.

Axis names: `batch`, `coeffs`. As in the training of FER, only the first frame of every window is an example.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.head import Head
from talkcli.engine.judges.emotion_image import SIDE, EmotionImage, as_floats
from talkcli.engine.render.close_up import close_up
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.fer import recall
from talkcli.engine.types import Config


class EmotionImageObjectiveConfig(Config):
    """The loss has no settings."""


class EmotionImageObjective(nn.Module):
    """Loss and validation measures of the judge of emotion in pictures."""

    def __init__(self, model: EmotionImage, config: EmotionImageObjectiveConfig, head: Head) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.head = head
        self.renderer = open_renderer("software", close_up(head), SIDE, SIDE)

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        return {"loss": F.cross_entropy(self.model(self.pictures(batch.motion[:, 0])), batch.emotion)}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the cross-entropy as `score`, and the mean recall over the emotions that occur."""
        logits = torch.cat([self.model(self.pictures(batch.motion[:, 0])) for batch in batches])
        true = torch.cat([batch.emotion for batch in batches])
        return {"score": float(F.cross_entropy(logits, true)), "recall": recall(logits.argmax(-1), true)}

    @torch.no_grad()
    def pictures(self, motion: Float[Tensor, "batch coeffs"]) -> Float[Tensor, "batch 3 64 64"]:
        """Draw frames as `Take.pictures` does."""
        vertices = self.head(motion.float().cpu()).numpy()
        drawn: UInt8[np.ndarray, "batch 64 64 3"] = np.stack([self.renderer.render(one) for one in vertices])
        return as_floats(drawn).to(motion.device)
