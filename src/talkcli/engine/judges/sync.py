"""Our judge of synchrony that sees lip curves: features of lips and of speech are near where both fit.

Axis names: as in `two_towers.py`; `curves` (`LIP_CURVES`). It stands in for SyncNet (Chung & Zisserman 2016)
where its weights are missing. It sees lip curves in place of pictures, so that it judges any motion whose
topology has landmarks; `sync_image.py` sees pictures.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.face.lip_curves import LIP_CURVES
from talkcli.engine.judges.two_towers import TwoTowers, TwoTowersConfig, both_fill, heard, through, tower
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.types import Speech


class SyncConfig(TwoTowersConfig):
    """Sizes of the judge; the defaults are those of the one that comes with talk."""


class SyncJudge(TwoTowers):
    """The two towers."""

    method = "sync"

    def __init__(self, config: SyncConfig) -> None:
        super().__init__(config)
        self.config = config
        self.curve_scale = Standardise(len(LIP_CURVES))
        self.seeing = tower(len(LIP_CURVES), config)

    def see(self, seen: Float[Tensor, "batch frames curves"]) -> Float[Tensor, "batch windows features"]:
        """Return the features of every window of lip curves."""
        return through(self.seeing, self.curve_scale(seen))


@torch.inference_mode()
def features(
    judge: SyncJudge, curves: Float[np.ndarray, "frames curves"], speech: Speech
) -> tuple[Float[np.ndarray, "windows features"], Float[np.ndarray, "windows features"]]:
    """Return the features of lips and of sound for every window that both fill.

    Args:
        judge: Judge with weights.
        curves: Lip curves at 25 fps.
        speech: Sound of 16 kHz, which begins with the first frame.

    Raises:
        ValueError: When there is no window.
    """
    frames = both_fill(len(curves), speech, judge.config.window)
    seen = judge.see(torch.from_numpy(curves[:frames].astype(np.float32))[None])
    return seen[0].numpy(), heard(judge, speech, frames)
