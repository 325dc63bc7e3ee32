"""The whole head turned on its neck, as a motion's `pose` says.

Axis names: `frames`, `verts`. Heads move their faces only; what is above the chin turns as one piece about
the top of the neck, what is well below stays, and the neck between bends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.topology import Topology

if TYPE_CHECKING:
    from torch import Tensor

_CONTOUR, _EARS = slice(0, 17), (0, 16)
# As a part of the way from the chin to the eyes: as far below the chin lies what no longer turns.
_NECK = 0.6
_EYES = slice(36, 48)


class Neck:
    """Where a head turns, and how much of the turn each vertex takes.

    `pivot` is the point about which it turns, in metres; `share` is in [0, 1].
    """

    def __init__(self, head: Topology) -> None:
        marks = _landmarks_at_rest(head)
        # Of a face whose sides differ, the middle of the chin need not be its lowest place.
        chin_y, ears = marks[_CONTOUR, 1].min(), marks[list(_EARS)].mean(axis=0)
        height = marks[_EYES, 1].mean() - chin_y
        # Between the ears, at the height of the chin: about where the skull rests on the spine.
        self.pivot: Float[np.ndarray, "3"] = np.array([ears[0], chin_y, ears[2]], np.float32)
        share = ((head.template[:, 1] - chin_y) / (_NECK * height) + 1).clip(0, 1)
        self.share: Float[np.ndarray, "verts"] = (share**2 * (3 - 2 * share)).astype(np.float32)

    def turn(
        self, vertices: Float[Tensor, "frames verts 3"], pose: Float[Tensor, "frames 3"]
    ) -> Float[Tensor, "frames verts 3"]:
        """Return `vertices` with each frame's head turned by `pose`, axis-angle in radians."""
        import torch

        from talkcli.engine.face.rotation import rotation_matrices

        pivot = torch.from_numpy(self.pivot)
        turned = (vertices - pivot) @ rotation_matrices(pose).mT + pivot
        return torch.lerp(vertices, turned, torch.from_numpy(self.share)[:, None])


def _landmarks_at_rest(head: Topology) -> Float[np.ndarray, "68 3"]:
    # Where they are vertices, they need no torch, which takes a second to load.
    vertices = getattr(head, "landmark_vertices", None)
    if vertices is not None:
        return head.template[vertices]
    import torch

    template = torch.from_numpy(np.ascontiguousarray(head.template))
    marks: Float[np.ndarray, "68 3"] = head.landmarks(template[None])[0].numpy()
    return marks
