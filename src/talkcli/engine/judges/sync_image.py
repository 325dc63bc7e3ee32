"""Our judge of synchrony that sees pictures of mouths: grey crops, five at once, and the sound beside them.

Axis names: as in `two_towers.py`; `rows` = `columns` = 48. The crop is that of `face/crop_box.py`: around the
middle of the mouth, as wide as four fifths of the distance of the eyes' outer corners, upright. A window is
standardised as a whole, so that neither brightness nor contrast of a film matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float, UInt8
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.judges.two_towers import TwoTowers, TwoTowersConfig, both_fill, heard
from talkcli.engine.types import Speech, Width

# Side of the crops in pixels.
SIDE = 48
# Smallest deviation of grey values, which run from 0 to 1, by which a window is divided: less is noise.
_LEAST = 0.01
# Channels that are normalised together.
_GROUP = 8


class SyncImageConfig(TwoTowersConfig):
    """Sizes of the judge; the defaults are those of the one that comes with talk."""

    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=5)] = (16, 32, 48, 64)
    """Channels of the convolutions over pictures, multiples of 8; each halves the picture."""


class SyncImageJudge(TwoTowers):
    """The two towers; that of pictures sees the frames of a window as channels, as SyncNet's first layer."""

    method = "sync_image"

    def __init__(self, config: SyncImageConfig) -> None:
        super().__init__(config)
        self.config = config
        layers: list[nn.Module] = []
        before, side = config.window, SIDE
        for width in config.widths:
            conv = nn.Conv2d(before, width, 3, stride=2, padding=1)
            layers += [conv, nn.GroupNorm(max(width // _GROUP, 1), width), nn.GELU()]
            before, side = width, (side + 1) // 2
        self.seeing = nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * side * side, config.features))

    def see(self, seen: Float[Tensor, "batch frames 48 48"]) -> Float[Tensor, "batch windows features"]:
        """Return the features of every window of crops, whose grey values run from 0 to 1."""
        windows = seen.unfold(1, self.config.window, 1).permute(0, 1, 4, 2, 3).flatten(0, 1)
        deviation, mean = torch.std_mean(windows, dim=(1, 2, 3), keepdim=True)
        found = self.seeing((windows - mean) / deviation.clamp_min(_LEAST))
        return F.normalize(found, dim=-1).view(len(seen), -1, found.shape[-1])


@torch.inference_mode()
def features(
    judge: SyncImageJudge, pictures: Iterable[UInt8[np.ndarray, "_ 48 48"]], speech: Speech
) -> tuple[Float[np.ndarray, "windows features"], Float[np.ndarray, "windows features"]]:
    """Return the features of mouths and of sound for every window that both fill.

    Args:
        judge: Judge with weights.
        pictures: Grey crops of 25 fps in blocks, of which one is in memory.
        speech: Sound of 16 kHz, which begins with the first crop.

    Raises:
        ValueError: When there is no window.
    """
    window, frames = judge.config.window, 0
    seen: list[Tensor] = []
    kept = np.zeros((0, SIDE, SIDE), np.uint8)
    for block in pictures:
        frames += len(block)
        kept = np.concatenate([kept, block])
        if len(kept) >= window:
            seen.append(judge.see(as_floats(torch.from_numpy(kept))[None])[0])
            kept = kept[1 - window :]
    frames = both_fill(frames, speech, window)
    return torch.cat(seen)[: frames - window + 1].numpy(), heard(judge, speech, frames)


def as_floats(pictures: UInt8[Tensor, "*batch 48 48"]) -> Float[Tensor, "*batch 48 48"]:
    """Return crops as the network takes them."""
    return pictures.float() / 255
