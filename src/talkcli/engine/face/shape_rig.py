"""Rigs: a face at rest and named shapes that add up, as most avatars have.

Axis names: `frames`, `coeffs` = shapes of the rig, `verts`, `faces`. Vertices = rest + weights times shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.errors import AssetError
from talkcli.engine.face.topology import MESH_COLOUR

if TYPE_CHECKING:
    from torch import Tensor


class ShapeRig:
    """See `Head`. `landmarks` raises AssetError where nobody named the landmarks' vertices."""

    def __init__(
        self,
        *,
        name: str,
        channels: tuple[str, ...],
        template: Float[np.ndarray, "verts 3"],
        deltas: Float[np.ndarray, "coeffs verts 3"],
        faces: Int[np.ndarray, "faces 3"] | None = None,
        marks: Int[np.ndarray, "68"] | None = None,
        part_of_face: Int[np.ndarray, "faces"] | None = None,
        parts: tuple[str, ...] = ("skin",),
        colours: Float[np.ndarray, "verts 3"] | None = None,
    ) -> None:
        self.name, self.channels, self.parts = name, channels, parts
        self.template = template.astype(np.float32)
        self.deltas = deltas.astype(np.float32, copy=False)
        self.faces = np.zeros((0, 3), np.int64) if faces is None else faces.astype(np.int64)
        self.part_of_face = (
            np.zeros(len(self.faces), np.int64) if part_of_face is None else part_of_face.astype(np.int64)
        )
        usual = np.tile(np.array(MESH_COLOUR, np.float32), (len(self.template), 1))
        self.colours = usual if colours is None else colours.astype(np.float32)
        self.landmark_vertices = None if marks is None else marks.astype(np.int64)
        self.regions: Mapping[str, Int[np.ndarray, "..."]] = {}

    def __call__(
        self, coeffs: Float[Tensor, "frames coeffs"], only: Int[Tensor, "chosen"] | None = None
    ) -> Float[Tensor, "frames chosen 3"]:
        """Return vertices in metres, in the dtype and on the device of `coeffs`."""
        import torch

        chosen = slice(None) if only is None else only.cpu().numpy()
        rest = torch.from_numpy(self.template[chosen]).to(coeffs)
        deltas = torch.from_numpy(self.deltas[:, chosen]).to(coeffs)
        return rest + torch.einsum("fc,cvx->fvx", coeffs, deltas)

    def with_landmarks(self, marks: Int[np.ndarray, "68"]) -> ShapeRig:
        """Return the same rig with the vertices of the landmarks."""
        return ShapeRig(
            name=self.name,
            channels=self.channels,
            template=self.template,
            deltas=self.deltas,
            faces=self.faces,
            marks=marks,
            part_of_face=self.part_of_face,
            parts=self.parts,
            colours=self.colours,
        )

    def landmarks(self, vertices: Float[Tensor, "frames verts 3"]) -> Float[Tensor, "frames 68 3"]:
        """Return the 68 landmarks of the iBUG scheme out of all vertices."""
        if self.landmark_vertices is None:
            raise AssetError(
                f"The landmarks of {self.name} are unknown.",
                hint="Give `landmarks`: a file with the vertices of the 68 landmarks (docs/retarget.md).",
            )
        return vertices[:, self.landmark_vertices]
