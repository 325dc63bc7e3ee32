"""A clip ready for training: the features of its sound, and its motion.

Axis names: `frames` (25 fps), `values` of a frame of motion (coefficients, or coordinates of vertices).
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from talkcli.engine.audio.ear import Sound


@dataclass(frozen=True, kw_only=True)
class Example:
    """A clip ready for training, at least one window long. `sound` keeps a batch axis of one, as `cut`
    expects. Each picture of a `still` clip is the first frame of a window; only that frame of such a window
    is data. `corpus` is the first part of the clip's id, `voice` the name of the speaker, `said` what the
    clip says, where that is known.
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
