"""What a head is, and which heads there are.

Axis names: `frames` (any leading batch), `coeffs` = 53, `verts`, `faces`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor


@runtime_checkable
class Head(Protocol):
    """Coefficients to vertices, in metres; y up, z towards the viewer, x to the subject's left.

    `channels` names the 53 coefficients. `template` is the head at rest. `faces` wind counter-clockwise seen
    from outside; `part_of_face` indexes `parts` (material names: skin, teeth, tongue, mouth, eye, brow, ...).
    `colours` are linear RGB per vertex. `regions` holds vertex indices by name; every head has `lips`,
    `upper_face`, `eyes` (eye region with lids, no eyeballs), `forehead`, `nose`.
    Calling a head is differentiable in `coeffs`.
    """

    name: str
    channels: tuple[str, ...]
    template: Float[np.ndarray, "verts 3"]
    faces: Int[np.ndarray, "faces 3"]
    parts: tuple[str, ...]
    part_of_face: Int[np.ndarray, "faces"]
    colours: Float[np.ndarray, "verts 3"]
    regions: Mapping[str, Int[np.ndarray, "..."]]

    def __call__(
        self, coeffs: Float[Tensor, "frames coeffs"], only: Int[Tensor, "chosen"] | None = None
    ) -> Float[Tensor, "frames chosen 3"]:
        """Vertices of each frame, on the device of `coeffs`; `only` chooses vertices (None: all), for
        speed.
        """

    def landmarks(self, vertices: Float[Tensor, "frames verts 3"]) -> Float[Tensor, "frames 68 3"]:
        """The 68 landmarks of the iBUG scheme (17 contour, 10 brow, 9 nose, 12 eye, 20 mouth)."""


# iBUG indices: inner-lip points 61-63 above face 67-65 below.
INNER_LIP_UPPER = (61, 62, 63)
INNER_LIP_LOWER = (67, 66, 65)


def lip_opening_mm(landmarks: Float[Tensor, "frames 68 3"]) -> Float[Tensor, "frames"]:
    """Mean distance of the three inner-lip landmark pairs, in millimetres."""
    gap = landmarks[:, INNER_LIP_UPPER, :] - landmarks[:, INNER_LIP_LOWER, :]
    return gap.norm(dim=-1).mean(dim=-1) * 1000
