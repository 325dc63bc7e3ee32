"""Training of a judge of synchrony: every window of lips finds its own sound among all of the clip's piece.

Axis names: `batch`, `windows`, `features`. The loss is the contrastive cross-entropy of van den Oord et al.
2018, both ways. All candidates come from the same clip, so that voice, room and emotion tell nothing and only
time does; SyncNet (Chung & Zisserman 2016) takes its false pairs from the same clip too.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.judges.two_towers import TwoTowers
from talkcli.engine.train.batches import Batch

# Largest factor on cosines.
_SHARPEST = 50.0


class Contrast(nn.Module):
    """Loss and validation measures of a judge of synchrony; a derived class says what it sees."""

    def __init__(self, model: TwoTowers) -> None:
        super().__init__()
        self.model = model

    def seen(self, batch: Batch, *, changed: bool) -> Float[Tensor, "batch frames ..."]:
        """Return what the model sees of the mouths of a batch; `changed` at random for training."""
        raise NotImplementedError

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        return {"loss": _cross_entropy(self._likeness(batch, changed=True))}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the cross-entropy as `score`, the share of windows of lips whose nearest sound is their own
        (`found`), and the share whose nearest sound is at most one frame away (`near`).
        """
        losses, apart = [], []
        for batch in batches:
            likeness = self._likeness(batch, changed=False)
            losses.append(_cross_entropy(likeness))
            own = torch.arange(likeness.shape[1], device=likeness.device)
            apart.append((likeness.argmax(-1) - own).abs().flatten())
        distance = torch.cat(apart)
        return {
            "score": float(torch.stack(losses).mean()),
            "found": float((distance == 0).float().mean()),
            "near": float((distance <= 1).float().mean()),
        }

    def _likeness(self, batch: Batch, *, changed: bool) -> Float[Tensor, "batch windows windows"]:
        """Return the scaled cosines of every window of lips (rows) with every window of sound."""
        seen, heard = self.model.see(self.seen(batch, changed=changed)), self.model.hear(batch.sound)
        return self.model.sharpness.exp().clamp_max(_SHARPEST) * seen @ heard.transpose(1, 2)


def _cross_entropy(likeness: Float[Tensor, "batch windows windows"]) -> Float[Tensor, ""]:
    """Return the mean over both ways of the cross-entropy whose right answer is the diagonal."""
    batch, windows, _ = likeness.shape
    own = torch.arange(windows, device=likeness.device).repeat(batch)
    forth = F.cross_entropy(likeness.flatten(0, 1), own)
    back = F.cross_entropy(likeness.transpose(1, 2).flatten(0, 1), own)
    return (forth + back) / 2
