"""Topologies: a numbering of vertices, with the face at rest and what else is known of the mesh.

Axis names: `frames` (any leading batch), `verts`, `faces`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, UInt8

from talkcli.engine.errors import AssetError

if TYPE_CHECKING:
    from torch import Tensor

# Indices of the inner-lip landmarks in the iBUG scheme: each upper landmark lies above the lower one at the
# same position.
INNER_LIP_UPPER = (61, 62, 63)
INNER_LIP_LOWER = (67, 66, 65)
# Colour of a mesh that has no colours, in linear RGB.
MESH_COLOUR = (0.58, 0.36, 0.26)


@runtime_checkable
class Topology(Protocol):
    """A numbering of vertices, with what is known of it. Metres; y up, z towards the viewer, x to the
    subject's left.

    `template` is the face at rest. `faces` are the triangles: they wind counter-clockwise seen from outside,
    and are empty when nobody knows them. `part_of_face` indexes `parts` (names of materials: skin, teeth,
    tongue, mouth, eye, brow, ...). `colours` are linear RGB per vertex. `regions` are vertex indices by name;
    `region` looks them up. A topology offers those of `lips`, `lower_lip`, `upper_face`, `eyes` (eye region
    with lids, no eyeballs), `forehead` and `nose` that it knows.
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
        """Return the 68 landmarks of the iBUG scheme (17 contour, 10 brow, 9 nose, 12 eye, 20 mouth), in
        metres.

        Raises AssetError when the topology has no landmarks.
        """


@runtime_checkable
class Pictured(Protocol):
    """A topology with pictures on it, sRGB with alpha, one or None for each of `parts`. `uv` are the places
    of the vertices in them, y down. `twins` names for each vertex one with which it shares its normal, since
    vertices at a seam of a picture are doubled. `tints` are linear colours by which those of the pictures are
    multiplied, and `notes` say what is not drawn as the head's file has it.
    """

    @property
    def uv(self) -> Float[np.ndarray, "verts 2"]: ...
    @property
    def pictures(self) -> tuple[UInt8[np.ndarray, "_ _ 4"] | None, ...]: ...
    @property
    def twins(self) -> Int[np.ndarray, "verts"]: ...
    @property
    def tints(self) -> Float[np.ndarray, "verts 3"]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, kw_only=True)
class FaceMesh:
    """The mesh of captured or generated vertices: a subject at rest, numbered as a head or in a way of its
    own.
    """

    name: str
    """Name of the topology: a head's, or that of a data set."""
    template: Float[np.ndarray, "verts 3"]
    """Vertices of the subject at rest, in metres."""
    numbering: Topology | None = None
    """Head with the same numbering of vertices; None when talk knows no such head."""
    triangles: Int[np.ndarray, "faces 3"] | None = None
    """Triangles from the motion's file; None when it has none."""
    named: Mapping[str, Int[np.ndarray, "..."]] = field(default_factory=dict)
    """Regions that a user names; they replace those of the numbering."""

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
        return np.tile(np.array(MESH_COLOUR, np.float32), (len(self.template), 1))

    @property
    def regions(self) -> Mapping[str, Int[np.ndarray, "..."]]:
        return {**({} if self.numbering is None else self.numbering.regions), **self.named}

    def landmarks(self, vertices: Float[Tensor, "frames verts 3"]) -> Float[Tensor, "frames 68 3"]:
        """See `Topology`."""
        if self.numbering is None:
            raise AssetError(f"The topology {self.name} has no landmarks.")
        return self.numbering.landmarks(vertices)


# Files in which trainers of vertex models keep the triangles of a topology.
_TRIANGLES_IN = {
    "flame": "VOCA's FLAME_sample.ply, or your own FLAME model (TALK_FLAME=/path/to/generic_model.pkl)",
    "biwi": "BIWI.ply, which trainers keep beside templates.pkl",
}


def unknown_triangles(topology: str) -> AssetError:
    """Return the error for vertices on a topology whose triangles are in no file here."""
    known = _TRIANGLES_IN.get(topology)
    where = f"They are in {known}: give" if known else "Give"
    return AssetError(
        f"The triangles of the topology {topology} are unknown, so it cannot be drawn.",
        hint=f"{where} a .ply or .obj with the same vertices as `template`, a `head` that has them, or store "
        "them in the motion file (key faces).",
    )


def region(topology: Topology, name: str) -> Int[np.ndarray, "chosen"]:
    """Return the vertex indices of a region. Raises AssetError when the topology does not know it."""
    try:
        return topology.regions[name]
    except KeyError:
        raise AssetError(f"The head {topology.name} has no region {name}.") from None


def under_landmarks(topology: Topology) -> Int[Tensor, "chosen"]:
    """Return the vertices that landmarks depend on. Raises AssetError when the topology has no landmarks."""
    import torch

    with torch.inference_mode(False):
        template = torch.tensor(topology.template[None], requires_grad=True)
        topology.landmarks(template).sum().backward()
        assert template.grad is not None
        return torch.nonzero(template.grad[0].any(dim=-1)).flatten()


def lip_opening_mm(landmarks: Float[Tensor, "frames 68 3"]) -> Float[Tensor, "frames"]:
    """Return the mean distance of the three inner-lip landmark pairs, in millimetres; `landmarks` are in
    metres.
    """
    gap = landmarks[:, INNER_LIP_UPPER, :] - landmarks[:, INNER_LIP_LOWER, :]
    return gap.norm(dim=-1).mean(dim=-1) * 1000
