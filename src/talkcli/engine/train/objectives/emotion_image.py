"""Training of the judge of emotion in pictures: cross-entropy on pictures of single frames.

Axis names: `batch`, `labels`. As in the training of FER, only the first frame of every window is an example.
Pictures get a random brightness and a small random shift, so that the judge looks at shapes.
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

# Largest relative change of the brightness, and largest shift in pixels.
_BRIGHTNESS = 0.2
_SHIFT = 3


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
        pictures = self._pictures(batch)
        brightness = 1 + _BRIGHTNESS * (2 * torch.rand(len(pictures), 1, 1, 1, device=pictures.device) - 1)
        across, down = (int(torch.randint(-_SHIFT, _SHIFT + 1, ())) for _ in range(2))
        altered = (pictures * brightness).clamp(0, 1).roll((down, across), dims=(2, 3))
        return {"loss": F.cross_entropy(self.model(altered), batch.emotion)}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the cross-entropy as `score`, and the mean recall over the emotions that occur."""
        logits = torch.cat([self.model(self._pictures(batch)) for batch in batches])
        true = torch.cat([batch.emotion for batch in batches])
        return {"score": float(F.cross_entropy(logits, true)), "recall": recall(logits.argmax(-1), true)}

    @torch.no_grad()
    def _pictures(self, batch: Batch) -> Float[Tensor, "batch 3 64 64"]:
        vertices = self.head(batch.motion[:, 0].float().cpu()).numpy()
        drawn: UInt8[np.ndarray, "batch 64 64 3"] = np.stack([self.renderer.render(one) for one in vertices])
        return as_floats(drawn).to(batch.motion.device)
