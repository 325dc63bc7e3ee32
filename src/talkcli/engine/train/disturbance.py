"""Disturbance of the log-mel spectrum of a training window: warp, tilt, shift, floor and masks.

Axis names: `hops` (100 Hz), `bands` (mel bands; the caller leaves out prosody channels).
The masks are those of SpecAugment (Park et al. 2019) without its time warping. The warp is vocal tract length
perturbation (Jaitly & Hinton 2013) without its bend at the upper edge. `audio/augment.py` alters the sound of
a clip once; disturbances are drawn anew for every training step and cost almost no time.
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

# Place of 1 kHz among the mel bands from 60 Hz to 7.6 kHz, as a share of their number. Bands below it are
# equally wide in Hz, bands above it in octaves: a factor on frequencies moves a band below in proportion to
# its number, and all bands above equally far.
_KNEE = 0.32


class DisturbanceConfig(Config):
    """Strength of the disturbances of a window; the defaults switch them off."""

    masks: Annotated[int, Field(ge=1, le=1000)] = 1
    """Number of band masks, and of hop masks, per window."""
    mask_bands: Annotated[int, Field(ge=0, le=10**4)] = 0
    """Largest width of a band mask in log-mel channels (SpecAugment); 0 is off."""
    mask_hops: Annotated[int, Field(ge=0, le=10**5)] = 0
    """Largest length of a hop mask in hops of 10 ms (SpecAugment); 0 is off."""
    tilt: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Largest random slope of the log-mel spectrum; 0.1 changes its two ends by 3 dB, in opposite ways."""
    warp: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest relative change of frequencies, up or down; it imitates shorter and longer vocal tracts."""
    shift: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Largest random change of the log-mel level; 0.1 is 3 dB."""
    floor: Annotated[float, Field(ge=-1, le=1)] = -1.0
    """Largest level of the random floor that imitates background noise; values below the floor are raised to
    it. -1, the lowest log-mel value, is off."""


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """The disturbance drawn for one window; the fields are drawn values of those in `DisturbanceConfig`."""

    warp: float
    tilt: float
    shift: float
    floor: float
    bands: tuple[slice, ...]
    hops: tuple[slice, ...]


def draw_disturbance(
    rng: np.random.Generator, config: DisturbanceConfig, num_bands: int, num_hops: int
) -> Disturbance:
    """Draw the disturbance of a window of `num_hops` hops and `num_bands` mel bands.

    A disturbance that is off takes no number from `rng`.
    """
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
    """Disturb a window in place; tilt and shift leave values of -1 (silence) as they are."""
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
    """Return the spectrum with each band's value taken at its frequency times 1 + `share`, interpolated."""
    last = bands.shape[1] - 1
    place = torch.arange(last + 1.0)
    wanted = (place + share * place.clamp_max(_KNEE * last)).clamp(0, last)
    lower = wanted.floor().long().clamp_max(last - 1)
    return torch.lerp(bands[:, lower], bands[:, lower + 1], wanted - lower)


def _up_to(rng: np.random.Generator, most: float) -> float:
    return rng.uniform(-most, most) if most > 0 else 0.0


def _stretch(rng: np.random.Generator, longest: int, whole: int) -> slice:
    """Draw a slice of random length up to `longest` at a random place within `whole`."""
    if longest == 0:
        return slice(0)
    width = int(rng.integers(min(longest, whole) + 1))
    first = int(rng.integers(whole - width + 1))
    return slice(first, first + width)
