"""The video-emotion loss: the cosine distance between what a judge of emotion sees of two rendered motions.

Axis names: `batch`, `frames` (25 fps), `coeffs`, `features` of the judge, `side` = 64 pixels.
Source: EMOTE (Daněček et al. 2023), facts H.6. Differs: the published loss takes a transformer's features of
a whole clip, on those that EMOCA's ResNet-50 gives of each picture. talk can have neither network. Its own
judge of pictures stands in: the mean of its features over the frames of a clip.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from talkcli.engine.face.head import Head
from talkcli.engine.judges.emotion_image import SIDE, EmotionImage, as_floats
from talkcli.engine.render.close_up import close_up
from talkcli.engine.render.renderers import open_differentiable, open_renderer

# Pixels of the rendered picture along a side of one that the judge sees: its edges are as smooth as drawn
# ones.
_FINER = 2


class VideoEmotion(nn.Module):
    """One minus the mean cosine between what a judge sees of two motions. The judge stays frozen.

    The judge has seen drawings of the software renderer, whose light differs from that of the differentiable
    one: what the two differ by for the face at rest is added to every picture. Of six faces of emotions that
    the judge tells in drawings, it tells five in these pictures.

    With `recompute` each clip is rendered and judged again on the way back, to save memory.
    """

    shift: Float[Tensor, "3 side side"]

    def __init__(self, head: Head, judge: EmotionImage, *, recompute: bool = False) -> None:
        super().__init__()
        self.head = head
        self.judge = judge.requires_grad_(False).eval()
        self.recompute = recompute
        scene = close_up(head)
        self.renderer = open_differentiable(scene, _FINER * SIDE, _FINER * SIDE)
        self.register_buffer("shift", torch.zeros(3, SIDE, SIDE), persistent=False)
        at_rest = torch.zeros(1, len(head.channels))
        drawn = open_renderer("software", scene, SIDE, SIDE).render(head(at_rest)[0].numpy())
        self.shift = as_floats(drawn[None])[0] - self.pictures(at_rest)[0]

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

    def pictures(self, coeffs: Float[Tensor, "frames coeffs"]) -> Float[Tensor, "frames 3 side side"]:
        """Return the pictures that the judge sees, red, green and blue from 0 to 1."""
        # float32 under autocast, which would round vertices by tenths of a millimetre.
        with torch.autocast(coeffs.device.type, enabled=False):
            fine = self.renderer.render(self.head(coeffs.float()))
            return F.avg_pool2d(fine.permute(0, 3, 1, 2), _FINER) + self.shift

    def _judged(self, coeffs: Float[Tensor, "frames coeffs"]) -> Float[Tensor, "features"]:
        with torch.autocast(coeffs.device.type, enabled=False):
            return self.judge.encode(self.pictures(coeffs)).mean(0)
