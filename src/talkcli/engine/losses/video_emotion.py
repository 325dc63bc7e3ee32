"""The video-emotion loss: the cosine distance between what a judge of emotion sees of two rendered motions.

Axis names: `batch`, `frames` (25 fps), `coeffs`, `features` of the judge.
Source: EMOTE (Daněček et al. 2023), facts H.6. Differs: the published loss takes a transformer's features of
a whole clip, on those that EMOCA's ResNet-50 gives of each picture. Neither network is available to talk. Its own
judge of pictures stands in: the mean of its features over the frames of a clip.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from talkcli.engine.face.head import Head
from talkcli.engine.judges.emotion_image import SIDE, EmotionImage
from talkcli.engine.render.close_up import close_up
from talkcli.engine.render.differentiable import DifferentiableRenderer
from talkcli.engine.render.renderers import open_differentiable


class VideoEmotion(nn.Module):
    """One minus the mean cosine between what a judge sees of two motions. The judge stays frozen.

    `renderer` shows the face in 64 x 64 pixels; by default `close_up(head)`, of which the judge has seen
    drawings. With `recompute` each clip is rendered and judged again on the way back, to save memory.
    """

    def __init__(
        self,
        head: Head,
        judge: EmotionImage,
        renderer: DifferentiableRenderer | None = None,
        *,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.head = head
        self.judge = judge.requires_grad_(False).eval()
        self.renderer = renderer or open_differentiable(close_up(head), SIDE, SIDE)
        self.recompute = recompute

    def train(self, mode: bool = True) -> VideoEmotion:
        """Set train mode, except that the judge stays in evaluation mode."""
        super().train(mode)
        self.judge.eval()
        return self

    def forward(
        self, made: Float[Tensor, "batch frames coeffs"], wanted: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Return the loss of the motion `made`, whose `features` should be those `wanted`."""
        return 1 - F.cosine_similarity(self.features(made), wanted, dim=-1).mean()

    def features(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Float[Tensor, "batch features"]:
        """Return what the judge sees of each motion, with gradients to `coeffs`."""
        if self.recompute and torch.is_grad_enabled():
            clips = [checkpoint(self._judged, clip, use_reentrant=False) for clip in coeffs]
        else:
            clips = [self._judged(clip) for clip in coeffs]
        return torch.stack(clips)

    def _judged(self, coeffs: Float[Tensor, "frames coeffs"]) -> Float[Tensor, "features"]:
        # float32 under autocast, which would round vertices by tenths of a millimetre.
        with torch.autocast(coeffs.device.type, enabled=False):
            pictures = self.renderer.render(self.head(coeffs.float()))
            return self.judge.encode(pictures.permute(0, 3, 1, 2)).mean(0)
