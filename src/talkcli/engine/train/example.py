"""A clip ready for training: the features of its sound, and its motion.

Axis names: `frames` (25 fps), `values` of a frame of motion (coefficients, or coordinates of vertices),
`side` of a picture in pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from talkcli.engine.audio.ear import Sound
from talkcli.engine.types import Clip

# What returns the grey pictures of a clip's mouth, one a frame.
PicturesOf = Callable[[Clip], UInt8[np.ndarray, "frames side side"]]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A clip ready for training, at least one window long. `sound` keeps a batch axis of one, as `cut`
    expects. Each picture of a `still` clip is the first frame of a window; only that frame of such a window
    is data. `corpus` is the first part of the clip's id, `voice` the name of the speaker, `said` what the
    clip says, where that is known, `seen` grey pictures of the mouth for a method that sees.
    """

    sound: Sound
    motion: Float[Tensor, "frames values"]
    emotion: int
    level: float
    speaker: int
    phones: Int[Tensor, "phone_steps"]
    corpus: str
    voice: str
    still: bool = False
    neutral: Float[Tensor, "verts 3"] | None = None
    said: str | None = None
    seen: UInt8[Tensor, "frames side side"] | None = None


def looked_at(clip: Clip, look: PicturesOf, frames: int) -> UInt8[Tensor, "frames side side"]:
    """Return the pictures of a clip; copies of the last one extend a short clip, as they do its motion."""
    pictures = look(clip)
    return torch.from_numpy(np.pad(pictures, ((0, frames - len(pictures)), (0, 0), (0, 0)), mode="edge"))
