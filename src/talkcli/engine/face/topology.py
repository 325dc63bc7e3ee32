"""What is known of a face's mesh: its vertices at rest, and whatever else there is.

Axis names: `frames` (any leading batch), `verts`, `faces`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from talkcli.engine.errors import AssetError

# iBUG indices: inner-lip points 61-63 above face 67-65 below.
INNER_LIP_UPPER = (61, 62, 63)
INNER_LIP_LOWER = (67, 66, 65)
# Linear RGB of a mesh without colours of its own.
_SKIN = (0.58, 0.36, 0.26)


@runtime_checkable
class Topology(Protocol):
    """A numbering of vertices, with what is known of it. Metres; y up, z towards the viewer, x to the
    subject's left.

    `template` is the face at rest. `faces` wind counter-clockwise seen from outside, and are empty where
    nobody knows the triangles; `part_of_face` indexes
    `parts` (material names: skin, teeth, tongue, mouth, eye, brow, ...). `colours` are linear RGB per vertex.
    `regions` holds vertex indices by name; `region` looks them up. Of `lips`, `lower_lip`, `upper_face`,
    `eyes` (eye region with lids, no eyeballs), `forehead` and `nose` a mesh offers those that it knows.
    """

    @property
    def name(self) -> str: ...
    @property
    def parts(self) -> tuple[str, ...]: ...
    @property
    def template(self) -> Float[np.ndarray, "verts 3"]: ...
    @property
    def faces(self) -> Int[np.ndarray, "faces 3"]: ...
    @property
    def part_of_face(self) -> Int[np.ndarray, "faces"]: ...
    @property
    def colours(self) -> Float[np.ndarray, "verts 3"]: ...
    @property
    def regions(self) -> Mapping[str, Int[np.ndarray, "..."]]: ...

    def landmarks(self, vertices: Float[Tensor, "frames verts 3"]) -> Float[Tensor, "frames 68 3"]:
        """Find the 68 landmarks of the iBUG scheme (17 contour, 10 brow, 9 nose, 12 eye, 20 mouth).

        Raises AssetError where the mesh has none.
        """


@dataclass(frozen=True, kw_only=True)
class FaceMesh:
    """The mesh of captured or generated vertices: a subject at rest, on the numbering of a head or on one of
    its own.

    `numbering` is the head whose numbering the vertices have; None where talk knows no such head.
    `triangles` are those of the file; None where it has none.
    """

    name: str
    template: Float[np.ndarray, "verts 3"]
    numbering: Topology | None = None
    triangles: Int[np.ndarray, "faces 3"] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        return ("skin",) if self.numbering is None else self.numbering.parts

    @property
    def faces(self) -> Int[np.ndarray, "faces 3"]:
        if self.numbering is not None:
            return self.numbering.faces
        return np.zeros((0, 3), np.int64) if self.triangles is None else self.triangles

    @property
    def part_of_face(self) -> Int[np.ndarray, "faces"]:
        if self.numbering is not None:
            return self.numbering.part_of_face
        return np.zeros(len(self.faces), np.int64)

    @property
    def colours(self) -> Float[np.ndarray, "verts 3"]:
        if self.numbering is not None:
            return self.numbering.colours
        return np.tile(np.array(_SKIN, np.float32), (len(self.template), 1))

    @property
    def regions(self) -> Mapping[str, Int[np.ndarray, "..."]]:
        return {} if self.numbering is None else self.numbering.regions

    def landmarks(self, vertices: Float[Tensor, "frames verts 3"]) -> Float[Tensor, "frames 68 3"]:
        """See `Topology`."""
        if self.numbering is None:
            raise AssetError(f"The topology {self.name} has no landmarks.")
        return self.numbering.landmarks(vertices)


def region(topology: Topology, name: str) -> Int[np.ndarray, "chosen"]:
    """Look up the vertex indices of a region. Raises AssetError where the mesh does not know it."""
    try:
        return topology.regions[name]
    except KeyError:
        raise AssetError(f"The head {topology.name} has no region {name}.") from None


def lip_opening_mm(landmarks: Float[Tensor, "frames 68 3"]) -> Float[Tensor, "frames"]:
    """Measure the mean distance of the three inner-lip landmark pairs, in millimetres."""
    gap = landmarks[:, INNER_LIP_UPPER, :] - landmarks[:, INNER_LIP_LOWER, :]
    return gap.norm(dim=-1).mean(dim=-1) * 1000
