"""What happens to the log-mel steps of one training window, anew at every step: the spectrum is warped,
tilted, shifted, raised to a floor and masked.

Axis names: `hops` (100 Hz), `channels` (mel bands, then prosody, which is never disturbed).
Masks are those of SpecAugment (Park et al. 2019) without time warping, the warp is vocal tract length
perturbation (Jaitly & Hinton 2013) without its bend at the upper edge. Copies that are heard anew
(`audio/augment.py`) differ by clip; these differ by step and cost next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from talkcli.engine.types import Config

# Where 1 kHz lies among mel bands from 60 Hz to 7.6 kHz: below, bands are equally wide in Hz, above in
# octaves, so that a factor on frequencies moves the lower ones in proportion and the upper ones all as far.
_KNEE = 0.32


class DisturbanceConfig(Config):
    """How much windows are disturbed; nothing by default."""

    masks: Annotated[int, Field(ge=1, le=1000)] = 1
    """Bands and stretches that are silenced, of each so many."""
    mask_bands: Annotated[int, Field(ge=0, le=10**4)] = 0
    """Widest band of log-mel channels that is silenced (SpecAugment)."""
    mask_hops: Annotated[int, Field(ge=0, le=10**5)] = 0
    """Longest stretch of log-mel hops that is silenced (SpecAugment)."""
    tilt: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Largest random slope of the log-mel spectrum (a value of 0.1 is 3 dB at either end)."""
    warp: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Frequencies are scaled by up to this share up or down: shorter and longer vocal tracts."""
    shift: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Largest random change of the log-mel level (a value of 0.1 is 3 dB)."""
    floor: Annotated[float, Field(ge=-1, le=1)] = -1.0
    """Everything is raised to a random level between -1 and this, as noise in the background raises it."""


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """What was drawn for one window."""

    warp: float
    tilt: float
    shift: float
    floor: float
    bands: tuple[slice, ...]
    hops: tuple[slice, ...]


def draw_disturbance(
    rng: np.random.Generator, config: DisturbanceConfig, num_bands: int, num_hops: int
) -> Disturbance:
    """Return what to do to a window of `num_hops` of `num_bands`; what is off draws nothing from `rng`."""
    tilt = _up_to(rng, config.tilt)
    pairs = [
        (_stretch(rng, config.mask_bands, num_bands), _stretch(rng, config.mask_hops, num_hops))
        for _ in range(config.masks)
    ]
    return Disturbance(
        tilt=tilt,
        bands=tuple(bands for bands, _ in pairs),
        hops=tuple(hops for _, hops in pairs),
        warp=_up_to(rng, config.warp),
        shift=_up_to(rng, config.shift),
        floor=rng.uniform(-1, config.floor) if config.floor > -1 else -1.0,
    )


def disturb(bands: Float[Tensor, "hops bands"], how: Disturbance) -> None:
    """Disturb a window in place; what lies at -1 stays there, unless the floor is raised."""
    if how.warp:
        bands.copy_(_warped(bands, how.warp))
    if how.tilt or how.shift:
        change = torch.linspace(-1, 1, bands.shape[1]) * how.tilt + how.shift
        bands.copy_(torch.where(bands > -1, (bands + change).clamp_min(-1), bands))
    if how.floor > -1:
        bands.clamp_min_(how.floor)
    for stretch in how.bands:
        bands[:, stretch] = -1
    for stretch in how.hops:
        bands[stretch] = -1


def _warped(bands: Float[Tensor, "hops bands"], share: float) -> Float[Tensor, "hops bands"]:
    """Each band takes what lay at its frequency times 1 + `share`, between two bands of both."""
    last = bands.shape[1] - 1
    place = torch.arange(last + 1.0)
    wanted = (place + share * place.clamp_max(_KNEE * last)).clamp(0, last)
    lower = wanted.floor().long().clamp_max(last - 1)
    return torch.lerp(bands[:, lower], bands[:, lower + 1], wanted - lower)


def _up_to(rng: np.random.Generator, most: float) -> float:
    return rng.uniform(-most, most) if most > 0 else 0.0


def _stretch(rng: np.random.Generator, longest: int, whole: int) -> slice:
    """Return a random place of a random length up to `longest` in `whole`."""
    if longest == 0:
        return slice(0)
    width = int(rng.integers(min(longest, whole) + 1))
    first = int(rng.integers(whole - width + 1))
    return slice(first, first + width)
