"""Training of the sync judge that sees pictures of mouths, by the contrast of `contrast.py`."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.judges.sync_image import SyncImageJudge, as_floats
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.contrast import Contrast
from talkcli.engine.train.picture_changes import PictureChanges, change_pictures


class SyncImageObjectiveConfig(PictureChanges):
    """How the pictures of a training step are changed."""


class SyncImageObjective(Contrast):
    """Loss and validation measures of the sync judge of pictures."""

    def __init__(self, model: SyncImageJudge, config: SyncImageObjectiveConfig) -> None:
        super().__init__(model)
        self.config = config

    @torch.no_grad()
    def seen(self, batch: Batch, *, changed: bool) -> Float[Tensor, "batch frames 48 48"]:
        """Return the pictures of the batch, each row as another camera would see it where `changed`."""
        if batch.seen is None:
            raise ValueError("the batch has no pictures")
        pictures = as_floats(batch.seen)
        return change_pictures(pictures, self.config) if changed else pictures
