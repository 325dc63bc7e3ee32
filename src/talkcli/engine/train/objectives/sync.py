"""Training of the sync judge that sees lip curves, by the contrast of `contrast.py`."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from talkcli.engine.face.head import Head
from talkcli.engine.face.lip_curves import LIP_CURVES, lip_curves
from talkcli.engine.face.topology import under_landmarks
from talkcli.engine.judges.sync import SyncJudge
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.contrast import Contrast
from talkcli.engine.types import Config


class SyncObjectiveConfig(Config):
    """The sync judge's loss has no settings."""


class SyncObjective(Contrast):
    """Loss and validation measures of the sync judge."""

    def __init__(self, model: SyncJudge, config: SyncObjectiveConfig, lips: LipCurves) -> None:
        super().__init__(model)
        self.config = config
        self.lips = lips

    def seen(self, batch: Batch, *, changed: bool) -> Float[Tensor, "batch frames curves"]:  # noqa: ARG002  curves know no light
        """Return the lip curves."""
        return self.lips(batch.motion)


class LipCurves(nn.Module):
    """The lip curves of coefficients on a head. Axis names: `batch`, `frames`, `coeffs`, `curves`,
    `chosen` (vertices), `marks` = 68.
    """

    at_rest: Float[Tensor, "marks 3"]
    chosen: Int[Tensor, "chosen"]
    shares: Float[Tensor, "marks chosen"]

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head
        template = torch.from_numpy(head.template)
        self.register_buffer("at_rest", head.landmarks(template[None])[0], persistent=False)
        chosen = under_landmarks(head)
        self.register_buffer("chosen", chosen, persistent=False)
        # Landmarks are weighted means of vertices: those of single vertices at 1 are the weights.
        ones = template.new_zeros(len(chosen), len(template), 3)
        ones[torch.arange(len(chosen)), chosen, 0] = 1
        self.register_buffer("shares", head.landmarks(ones)[..., 0].T.contiguous(), persistent=False)

    @torch.no_grad()
    def forward(self, motion: Float[Tensor, "batch frames coeffs"]) -> Float[Tensor, "batch frames curves"]:
        """Return the curves in float32, also under autocast, which would round them."""
        with torch.autocast(motion.device.type, enabled=False):
            some = self.head(motion.float().flatten(0, 1), only=self.chosen)
            marks = torch.einsum("lv,fvx->flx", self.shares, some)
            curves = lip_curves(marks, self.at_rest)
        return curves.view(*motion.shape[:2], len(LIP_CURVES))
