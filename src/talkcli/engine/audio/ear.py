"""Ears: the front-ends that turn samples into feature steps once per clip, before anything that is trained.

Axis names: `batch`, `samples` (16 kHz), `steps` (a whole number to a frame of 25 fps), `channels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.types import SAMPLES_PER_FRAME

# What models are given of speech: the steps of each ear they have, by the ear's name.
# Ears differ in steps and channels, so these two names are not bound (leading underscores).
Sound = Mapping[str, Float[Tensor, "batch _steps _channels"]]


@runtime_checkable
class Ear(Protocol):
    """A front-end without anything to train; frame k of 25 fps belongs to steps from k * `steps_per_frame`.

    The first `prefix` steps belong to the whole clip and stay in every cut.
    """

    num_channels: int
    steps_per_frame: int
    prefix: int

    def __call__(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch steps channels"]: ...


class Waveform:
    """The samples themselves, for encoders that begin with them."""

    name = "waveform"
    num_channels = 1
    steps_per_frame = SAMPLES_PER_FRAME
    prefix = 0

    def __call__(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch samples 1"]:
        return samples[..., None]


def hear(ears: Mapping[str, Ear], samples: Float[Tensor, "batch samples"]) -> Sound:
    """Return what every ear makes of `samples`."""
    return {name: ear(samples) for name, ear in ears.items()}


def num_frames(sound: Sound, ears: Mapping[str, Ear]) -> int:
    """Return frames of 25 fps in `sound`, an incomplete last one included."""
    name, ear = next(iter(ears.items()))
    return -(-(sound[name].shape[1] - ear.prefix) // ear.steps_per_frame)


def cut(sound: Sound, ears: Mapping[str, Ear], first: int, last: int) -> Sound:
    """Return frames `first` to `last` (excluded)."""
    pieces = {}
    for name, ear in ears.items():
        steps, prefix, rate = sound[name], ear.prefix, ear.steps_per_frame
        piece = steps[:, prefix + first * rate : prefix + last * rate]
        pieces[name] = torch.cat([steps[:, :prefix], piece], dim=1) if prefix else piece
    return pieces
