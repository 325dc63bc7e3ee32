"""The lip-reading loss: the cosine distance between a lip reader's features of two rendered mouths.

Axis names: `batch`, `frames` (25 fps), `coeffs`, `channels` = 512.
Source: Filntisis et al. 2022 (SPECTRE), section 3.3; DEEPTalk, supplement, and its code's smoothing of the
crop's place. We differ: landmarks are the head's own, projected, where the published code detects them in the
rendered pictures; and only the crop is rendered, which shows the same pixels.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from talkcli.engine.face.head import Head
from talkcli.engine.judges.lip_reader import CROP, LipReader
from talkcli.engine.render.close_up import close_up
from talkcli.engine.render.differentiable import DifferentiableRenderer, Window
from talkcli.engine.render.renderers import open_differentiable

# Side of the picture of which the crop is a part.
PICTURE = 224
# Frames over which the place of the mouth within the face is averaged.
SMOOTHING = 12
_MOUTH = slice(48, 68)
# ITU-R 601.
_GREY = (0.299, 0.587, 0.114)


class LipReading(nn.Module):
    """One minus the mean cosine between what a lip reader sees of two motions.

    `renderer` shows the whole face in 224 x 224 pixels; by default `close_up(head)`. The reader stays frozen.
    `follow`: gradients also see the crop move with the mouth. The published code keeps that out, though what
    it compares is pictures centred on the mouth. Of 16 jaws fitted to one picture each through readers with
    random weights, 12 came to the truth with it and 8 without.
    `recompute` renders and reads each clip a second time on the way back instead of keeping what lies
    between: a batch's memory shrinks to a clip's for 27 to 53 % more time (1.5 s became 1.9 to 2.3).
    """

    def __init__(
        self,
        head: Head,
        reader: LipReader,
        renderer: DifferentiableRenderer | None = None,
        *,
        follow: bool = False,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.head = head
        self.reader = reader
        self.renderer = renderer or open_differentiable(close_up(head), PICTURE, PICTURE)
        self.follow = follow
        self.recompute = recompute

    def forward(
        self, made: Float[Tensor, "batch frames coeffs"], wanted: Float[Tensor, "batch frames 512"]
    ) -> Float[Tensor, ""]:
        """Return the loss of the motion `made`, whose `features` should be those `wanted`."""
        return apart(self.features(made), wanted)

    def features(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Float[Tensor, "batch frames 512"]:
        """Return what the reader sees of each motion, with gradients to `coeffs`."""
        if self.recompute and torch.is_grad_enabled():
            clips = [checkpoint(self._read, clip, use_reentrant=False) for clip in coeffs]
        else:
            clips = [self._read(clip) for clip in coeffs]
        return torch.stack(clips)

    def mouths(self, coeffs: Float[Tensor, "frames coeffs"]) -> Float[Tensor, "frames 88 88"]:
        """Return grey pictures in [0, 1] of the mouth, which stays in their middle; in float32 under
        autocast, which would round vertices by tenths of a millimetre.
        """
        with torch.autocast(coeffs.device.type, enabled=False):
            vertices = self.head(coeffs.float())
            corners = mouth_corners(self.renderer.project(self.head.landmarks(vertices)))
            corners = corners if self.follow else corners.detach()
            picture = self.renderer.render(vertices, Window(corners=corners, width=CROP, height=CROP))
            return picture @ picture.new_tensor(_GREY)

    def _read(self, coeffs: Float[Tensor, "frames coeffs"]) -> Float[Tensor, "frames 512"]:
        return self.reader(self.mouths(coeffs)[None])[0]


def apart(
    made: Float[Tensor, "batch frames channels"], true: Float[Tensor, "batch frames channels"]
) -> Float[Tensor, ""]:
    """Return one minus the mean cosine over all frames of `LipReading.features`."""
    return 1 - F.cosine_similarity(made.float(), true.float(), dim=-1).mean()


def mouth_corners(landmarks: Float[Tensor, "frames 68 2"]) -> Float[Tensor, "frames 2"]:
    """Return first column and row of the crop around each frame's mouth: whole pixels, with the gradient of
    where they would be without rounding.

    The middle of the landmarks is the frame's own; the mouth's place beside it is averaged over 12 frames,
    from six before to five after, where the first and the last frame go on.
    """
    middle = landmarks.mean(1)
    beside = (landmarks[:, _MOUTH].mean(1) - middle).T[None]
    held = F.pad(beside, (SMOOTHING // 2, SMOOTHING // 2), mode="replicate")
    smooth = F.avg_pool1d(held, SMOOTHING, stride=1)[0, :, : len(landmarks)].T
    # A crop of 96 cut to its middle 88 starts where the 88 round the same centre do.
    corners = middle + smooth - CROP // 2
    return corners.detach().round() + (corners - corners.detach())
