"""Training of the sync judge: every window of lips finds its own sound among all windows of the clip's piece.

Axis names: `batch`, `windows`. The loss is the contrastive cross-entropy of van den Oord et al. 2018, both
ways. All candidates come from the same clip, so that voice, room and emotion tell nothing and only time does;
SyncNet (Chung & Zisserman 2016) takes its false pairs from the same clip too.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.head import Head
from talkcli.engine.face.lip_curves import LIP_CURVES, lip_curves
from talkcli.engine.face.topology import under_landmarks
from talkcli.engine.judges.sync import SyncJudge
from talkcli.engine.train.batches import Batch
from talkcli.engine.types import Config

# Largest factor on cosines.
_SHARPEST = 50.0


class SyncObjectiveConfig(Config):
    """The sync judge's loss has no settings."""


class SyncObjective(nn.Module):
    """Loss and validation measures of the sync judge."""

    def __init__(self, model: SyncJudge, config: SyncObjectiveConfig, lips: LipCurves) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.lips = lips

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        return {"loss": _cross_entropy(self._likeness(batch))}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the cross-entropy as `score`, the share of windows of lips whose nearest sound is their own
        (`found`), and the share whose nearest sound is at most one frame away (`near`).
        """
        losses, apart = [], []
        for batch in batches:
            likeness = self._likeness(batch)
            losses.append(_cross_entropy(likeness))
            own = torch.arange(likeness.shape[1], device=likeness.device)
            apart.append((likeness.argmax(-1) - own).abs().flatten())
        distance = torch.cat(apart)
        return {
            "score": float(torch.stack(losses).mean()),
            "found": float((distance == 0).float().mean()),
            "near": float((distance <= 1).float().mean()),
        }

    def _likeness(self, batch: Batch) -> Float[Tensor, "batch windows windows"]:
        """Return the scaled cosines of every window of lips (rows) with every window of sound."""
        seen, heard = self.model.see(self.lips(batch.motion)), self.model.hear(batch.sound)
        return self.model.sharpness.exp().clamp_max(_SHARPEST) * seen @ heard.transpose(1, 2)


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


def _cross_entropy(likeness: Float[Tensor, "batch windows windows"]) -> Float[Tensor, ""]:
    """Return the mean over both ways of the cross-entropy whose right answer is the diagonal."""
    batch, windows, _ = likeness.shape
    own = torch.arange(windows, device=likeness.device).repeat(batch)
    forth = F.cross_entropy(likeness.flatten(0, 1), own)
    back = F.cross_entropy(likeness.transpose(1, 2).flatten(0, 1), own)
    return (forth + back) / 2
