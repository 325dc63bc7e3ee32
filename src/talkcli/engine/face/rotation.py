"""Axis-angle vectors as rotation matrices (Rodrigues)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def rotation_matrices(axis_angle: Float[Tensor, "frames 3"]) -> Float[Tensor, "frames 3 3"]:
    """Return right-handed rotations about the vector by its length in radians; smooth at zero, gradients
    too.
    """
    squared = axis_angle.square().sum(dim=-1)[:, None, None]
    small = squared < 1e-6
    # The unused branch must be finite, else its gradient is not.
    safe = torch.where(small, 1.0, squared)
    angle = safe.sqrt()
    sine = torch.where(small, 1 - squared / 6, angle.sin() / angle)
    cosine = torch.where(small, 0.5 - squared / 24, (1 - angle.cos()) / safe)
    x, y, z = axis_angle.unbind(dim=-1)
    zero = torch.zeros_like(x)
    cross = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (3, 3))
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return identity + sine * cross + cosine * (cross @ cross)
