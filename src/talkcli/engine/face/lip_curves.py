"""Lip curves: numbers that say what shape a mouth has, from the landmarks of any topology.

Axis names: `frames` (any leading batch), `curves`. Every curve is a distance of landmarks of the iBUG scheme
as a share of the mouth's width at rest, less its value at rest. So the size of a face, the place and the turn
of a head do not matter. A measure of our own.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.face.topology import lip_opening_mm

# The curves in their order. `forward` is the distance to the plane of eyes and nose, towards the viewer.
LIP_CURVES = (
    "inner gap", "outer gap", "outer width", "inner width", "chin drop", "upper lip", "lower lip",
    "upper lip forward", "lower lip forward", "corners forward",
)  # fmt: skip
# Landmarks whose distance is a curve, for the curves after the inner gap and before those that go forward.
_PAIRS = ((51, 57), (48, 54), (60, 64), (33, 8), (33, 51), (57, 8))
_RIGHT_CORNER, _LEFT_CORNER = 48, 54
# Landmarks of the plane: outer corner of the right and of the left eye, bridge and base of the nose.
_RIGHT_EYE, _LEFT_EYE, _BRIDGE, _BASE = 36, 45, 27, 33
# Smallest distance in metres by which another is divided.
_SMALLEST_M = 1e-6


def lip_curves(
    landmarks: Float[Tensor, "frames 68 3"], at_rest: Float[Tensor, "68 3"]
) -> Float[Tensor, "frames curves"]:
    """Return the curves of `LIP_CURVES`, which are 0 where the face is `at_rest`; landmarks are in metres."""
    width = (at_rest[_LEFT_CORNER] - at_rest[_RIGHT_CORNER]).norm().clamp_min(_SMALLEST_M)
    return (_distances(landmarks) - _distances(at_rest[None])) / width


def _distances(marks: Float[Tensor, "frames 68 3"]) -> Float[Tensor, "frames curves"]:
    pairs = [(marks[:, first] - marks[:, second]).norm(dim=-1) for first, second in _PAIRS]
    across, up = marks[:, _LEFT_EYE] - marks[:, _RIGHT_EYE], marks[:, _BRIDGE] - marks[:, _BASE]
    forward = torch.linalg.cross(across, up)
    forward = forward / forward.norm(dim=-1, keepdim=True).clamp_min(_SMALLEST_M**2)
    corners = (marks[:, _LEFT_CORNER] + marks[:, _RIGHT_CORNER]) / 2
    depths = [
        ((point - marks[:, _BASE]) * forward).sum(-1) for point in (marks[:, 51], marks[:, 57], corners)
    ]
    return torch.stack([lip_opening_mm(marks) / 1000, *pairs, *depths], dim=-1)
