"""The whole head turned on its neck, as a motion's `pose` says.

Axis names: `frames`, `verts`. Heads move their faces only; what is above the chin turns as one piece about
the top of the neck, what is well below stays, and the neck between bends.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.face.rotation import rotation_matrices
from talkcli.engine.face.topology import Topology

_CHIN, _EARS = 8, (0, 16)
# As a part of the way from the chin to the eyes: as far below the chin lies what no longer turns.
_NECK = 0.6
_EYES = slice(36, 48)


class Neck:
    """Where a head turns, and how much of the turn each vertex takes."""

    def __init__(self, head: Topology) -> None:
        template = torch.from_numpy(np.ascontiguousarray(head.template))
        marks = head.landmarks(template[None])[0]
        chin, ears = marks[_CHIN], marks[list(_EARS)].mean(dim=0)
        height = marks[_EYES, 1].mean() - chin[1]
        # Between the ears, at the height of the chin: about where the skull rests on the spine.
        self._pivot = torch.stack([ears[0], chin[1], ears[2]])
        share = ((template[:, 1] - chin[1]) / (_NECK * height) + 1).clamp(0, 1)
        self._share = (share**2 * (3 - 2 * share))[:, None]

    def turn(
        self, vertices: Float[Tensor, "frames verts 3"], pose: Float[Tensor, "frames 3"]
    ) -> Float[Tensor, "frames verts 3"]:
        """Return `vertices` with each frame's head turned by `pose`, axis-angle in radians."""
        turned = (vertices - self._pivot) @ rotation_matrices(pose).mT + self._pivot
        return torch.lerp(vertices, turned, self._share)
