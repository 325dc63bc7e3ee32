"""Front-ends ("ears" in the code): they turn the samples of a clip into features, and nothing in them trains.

Axis names: `batch`, `samples` (16 kHz), `steps` (time steps of features, a whole number per frame of 25 fps),
`channels` (features of a step).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.types import SAMPLES_PER_FRAME

# Input of a model: the features of each of its front-ends, by the front-end's name. The leading underscores
# leave these two axis names unbound, because front-ends differ in steps and channels.
Sound = Mapping[str, Float[Tensor, "batch _steps _channels"]]


@runtime_checkable
class Ear(Protocol):
    """A front-end: a function of the samples without trainable parameters.

    Frame k (25 fps) has the steps `prefix` + k * `steps_per_frame` and following.
    """

    num_channels: int
    """Number of features of a step."""
    steps_per_frame: int
    """Number of steps of a frame of 25 fps."""
    prefix: int
    """Number of steps before the first frame; they belong to the whole clip, and every cut keeps them."""

    def __call__(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch steps channels"]: ...


@runtime_checkable
class WideEar(Ear, Protocol):
    """A front-end whose steps are seen with those around them."""

    context: int
    """Number of steps on both sides of a stretch that belong to it; cuts keep them."""
    silence: float
    """Value of a step before the clip and after it."""


class Waveform:
    """Front-end that returns the samples unchanged, for encoders that read samples."""

    name = "waveform"
    num_channels = 1
    steps_per_frame = SAMPLES_PER_FRAME
    prefix = 0

    def __call__(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch samples 1"]:
        return samples[..., None]


def hear(ears: Mapping[str, Ear], samples: Float[Tensor, "batch samples"]) -> Sound:
    """Return the features of `samples` from every front-end, by its name."""
    return {name: ear(samples) for name, ear in ears.items()}


def num_frames(sound: Sound, ears: Mapping[str, Ear]) -> int:
    """Return the number of frames (25 fps) in `sound`; an incomplete last frame counts."""
    name, ear = next(iter(ears.items()))
    return -(-(sound[name].shape[1] - ear.prefix) // ear.steps_per_frame)


def cut(sound: Sound, ears: Mapping[str, Ear], first: int, last: int) -> Sound:
    """Return the features of frames `first` to `last` (excluded, 25 fps) from every front-end."""
    pieces = {}
    for name, ear in ears.items():
        steps, prefix, rate = sound[name], ear.prefix, ear.steps_per_frame
        if isinstance(ear, WideEar):
            pieces[name] = surrounded(ear, steps, first * rate, last * rate)
            continue
        piece = steps[:, prefix + first * rate : prefix + last * rate]
        pieces[name] = torch.cat([steps[:, :prefix], piece], dim=1) if prefix else piece
    return pieces


def surrounded(
    ear: WideEar, steps: Float[Tensor, "batch _steps channels"], first: int, last: int
) -> Float[Tensor, "batch _wide channels"]:
    """Return the steps `first` to `last` (excluded) of a clip with those around them; outside is silence."""
    low, high = first - ear.context, last + ear.context
    inside = steps[:, max(low, 0) : high]
    return F.pad(inside, (0, 0, max(-low, 0), max(high - steps.shape[1], 0)), value=ear.silence)
