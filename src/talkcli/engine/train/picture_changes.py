"""Random changes of crops of a mouth: another face, another camera and another light, the same for a window.

Axis names: `batch`, `frames`, `rows` = `columns`. Numbers come from torch's global generator. A face that is
wider, a crop that sits otherwise, a turned or mirrored picture are one linear map; light is a gamma and a
slope across the picture; a camera is blur and noise.
"""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.types import Config

Strength = Annotated[float, Field(ge=0, le=1)]


class PictureChanges(Config):
    """Largest changes, each drawn evenly up to it, in both directions where there are two; 0 is off."""

    move: Strength = 0.12
    """Shift, as a share of the side."""
    scale: Strength = 0.2
    """Logarithm of the factor on the size."""
    stretch: Strength = 0.12
    """Logarithm of the factor on the width, and its inverse on the height."""
    turn: Strength = 0.15
    """Rotation in radians."""
    mirror: Strength = 0.5
    """Chance that left and right change places."""
    gamma: Strength = 0.5
    """Logarithm of the exponent on grey values."""
    gain: Strength = 0.4
    """Logarithm of the factor on grey values."""
    offset: Strength = 0.1
    """Change of all grey values, which run from 0 to 1."""
    slope: Strength = 0.5
    """Change of the light from the middle to an edge, as a share."""
    blur: Strength = 1.0
    """Share of a blurred picture (a tent of seven pixels) that is mixed in; from 0 on."""
    noise: Strength = 0.05
    """Standard deviation of noise in single pixels; from 0 on."""


def change_pictures(
    pictures: Float[Tensor, "batch frames rows columns"], changes: PictureChanges
) -> Float[Tensor, "batch frames rows columns"]:
    """Return pictures from 0 to 1, each row of the batch under changes of its own."""
    x = _placed(pictures, changes)
    count = len(x)
    x = x.clamp(0, 1) ** _upto(count, changes.gamma, x).exp()
    across = torch.linspace(-1, 1, x.shape[-1], device=x.device)
    light = 1 + _upto(count, changes.slope, x) * across + _upto(count, changes.slope, x) * across[:, None]
    x = x * light.clamp_min(0) * _upto(count, changes.gain, x).exp() + _upto(count, changes.offset, x)
    soft = F.avg_pool2d(F.pad(x, (3, 3, 3, 3), mode="replicate"), 4, stride=1)
    soft = F.avg_pool2d(soft, 4, stride=1)
    x = torch.lerp(x, soft, _upto(count, changes.blur, x).abs())
    return (x + _upto(count, changes.noise, x) * torch.randn_like(x)).clamp(0, 1)


def _placed(
    pictures: Float[Tensor, "batch frames rows columns"], changes: PictureChanges
) -> Float[Tensor, "batch frames rows columns"]:
    """Return pictures moved, scaled, stretched, turned and mirrored; their edges go on."""
    count = len(pictures)
    scale, stretch, angle = (
        _upto(count, most, pictures).flatten() for most in (changes.scale, changes.stretch, changes.turn)
    )
    side = torch.where(torch.rand(count, device=pictures.device) < changes.mirror, -1.0, 1.0)
    wide, high = (scale + stretch).exp() * side, (scale - stretch).exp()
    # Coordinates run from -1 to 1, so that a share of the side counts twice.
    moves = [2 * _upto(count, changes.move, pictures).flatten() for _ in range(2)]
    rows = (
        torch.stack([wide * angle.cos(), -high * angle.sin(), moves[0]], dim=-1),
        torch.stack([wide * angle.sin(), high * angle.cos(), moves[1]], dim=-1),
    )
    grid = F.affine_grid(torch.stack(rows, dim=1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _upto(count: int, most: float, like: Tensor) -> Float[Tensor, "batch 1 1 1"]:
    """Draw a number from -`most` to `most` for each row."""
    return (2 * torch.rand(count, 1, 1, 1, device=like.device) - 1) * most
