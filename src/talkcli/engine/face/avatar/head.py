"""An avatar as a head: motion of ada moves its shapes and bones.

Axis names: `frames`, `coeffs` (53 or 56, those of ada), `verts` that are drawn, `chosen`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int, UInt8

from talkcli.engine.errors import AssetError, UsageError
from talkcli.engine.face.arkit import arkit_curves
from talkcli.engine.face.avatar.geometry import Part
from talkcli.engine.face.avatar.mapping import Plan
from talkcli.engine.face.avatar.materials import Paints
from talkcli.engine.face.avatar.mesh import Mesh
from talkcli.engine.face.avatar.rig import Rig
from talkcli.engine.face.avatar.shapes import Shapes, Target
from talkcli.engine.face.avatar.surface import Drawn, draw
from talkcli.engine.face.avatar.vrm import VRM
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.gltf.document import Document

if TYPE_CHECKING:
    from torch import Tensor

# Curves that move most of all what a region is called after.
_REGIONS = {
    "eyes": ("eyeBlinkLeft", "eyeBlinkRight"),
    "lips": ("mouthFunnel", "mouthPucker", "mouthClose", "mouthRollUpper", "mouthRollLower", "jawOpen"),
}
# Part of a region is what moves at least so far, of what moves farthest.
_MUCH = 0.5


class AvatarHead:
    """A `Head` whose meshes, shapes and bones are those of a glTF or VRM file.

    Its vertices are those that are drawn: the head and the shoulders. It has no landmarks.
    """

    channels = ADA

    def __init__(
        self, name: str, document: Document, parts: list[Part], rig: Rig, shapes: Shapes, plan: Plan
    ) -> None:
        self.name, self.document, self.rig, self.shapes, self.plan = name, document, rig, shapes, plan
        self.paints = Paints(document)
        self._parts = parts
        driven = {target for shape in plan.shapes for target, _ in shape.moves}
        self.mesh = Mesh(parts, rig, driven, shapes.weights)

    @property
    def is_vrm(self) -> bool:
        """Whether the file is a VRM, of either version."""
        extensions = self.document.json.get("extensions")
        return isinstance(extensions, dict) and not extensions.keys().isdisjoint(VRM)

    @cached_property
    def _rest(self) -> Float[np.ndarray, "coarse 3"]:
        return self.mesh.vertices({}, {}, 1)[0]

    @cached_property
    def drawn(self) -> Drawn:
        """What is drawn. Raises AssetError where the file has no triangles there."""
        found = draw(self.mesh, self._rest, self._face(), self._parts, self.paints)
        if not len(found.faces):
            raise AssetError(f"{self.name} has no triangles that could be drawn.")
        return found

    @property
    def parts(self) -> tuple[str, ...]:
        return self.drawn.parts

    @property
    def template(self) -> Float[np.ndarray, "verts 3"]:
        return self.drawn.rest

    @property
    def faces(self) -> Int[np.ndarray, "faces 3"]:
        return self.drawn.faces

    @property
    def part_of_face(self) -> Int[np.ndarray, "faces"]:
        return self.drawn.part_of_face

    @property
    def colours(self) -> Float[np.ndarray, "verts 3"]:
        return self.drawn.colours

    @property
    def uv(self) -> Float[np.ndarray, "verts 2"]:
        return self.drawn.uv

    @property
    def pictures(self) -> tuple[UInt8[np.ndarray, "_ _ 4"] | None, ...]:
        return self.drawn.pictures

    @property
    def twins(self) -> Int[np.ndarray, "verts"]:
        return self.drawn.twins

    @property
    def tints(self) -> Float[np.ndarray, "verts 3"]:
        return self.drawn.tints

    @property
    def notes(self) -> tuple[str, ...]:
        return self.drawn.notes

    @cached_property
    def regions(self) -> Mapping[str, Int[np.ndarray, "..."]]:
        """Eyes and lips: what blinks and shapes of the mouth move most."""
        found = {}
        for name, curves in _REGIONS.items():
            verts, far = self._moved(curves)
            if len(verts):
                coarse = np.zeros(self.mesh.num_verts, np.float32)
                coarse[verts[far >= _MUCH * far.max()]] = 1.0
                chosen = np.flatnonzero(self.drawn.of @ coarse > _MUCH)
                if len(chosen):
                    found[name] = chosen
        return found

    def landmarks(self, vertices: Float[Tensor, "frames verts 3"]) -> Float[Tensor, "frames 68 3"]:  # noqa: ARG002
        """See `Topology`."""
        raise AssetError(f"Nobody knows the landmarks of the avatar {self.name}.")

    def __call__(
        self, coeffs: Float[Tensor, "frames coeffs"], only: Int[Tensor, "chosen"] | None = None
    ) -> Float[Tensor, "frames chosen 3"]:
        """Return the vertices of each frame; without gradients, which nothing needs of an avatar.

        Raises UsageError for coefficients that want gradients.
        """
        import torch

        if coeffs.requires_grad:
            raise UsageError(f"The avatar {self.name} has no gradients.", hint="Use `head=ada`.")
        vertices = self.posed(coeffs.detach().cpu().numpy(), None)
        chosen = vertices if only is None else vertices[:, only.cpu().numpy()]
        return torch.from_numpy(np.ascontiguousarray(chosen)).to(coeffs.device)

    def posed(
        self, coeffs: Float[np.ndarray, "frames coeffs"], pose: Float[np.ndarray, "frames 3"] | None
    ) -> Float[np.ndarray, "frames verts 3"]:
        """Return the vertices of each frame, with the head turned by `pose` (axis-angle in radians)."""
        weights, turns = self.driven(coeffs, pose)
        coarse = self.mesh.vertices(weights, self.rig.moves(turns, len(coeffs)), len(coeffs))
        of = self.drawn.of
        return np.stack([(of @ frame).astype(np.float32) for frame in coarse]).reshape(len(coeffs), -1, 3)

    def driven(
        self, coeffs: Float[np.ndarray, "frames coeffs"], pose: Float[np.ndarray, "frames 3"] | None
    ) -> tuple[dict[Target, Float[np.ndarray, "frames"]], dict[str, Float[np.ndarray, "frames 3"]]]:
        """Return the weight of each morph target and the turn of each bone over time."""
        curves = arkit_curves(coeffs, (*ADA, *TONGUE)[: coeffs.shape[1]])
        plan = self.plan
        turns = self.rig.turns(plan.followed(curves), pose, eyes=plan.eyes, jaw=plan.jaw)
        return plan.targets(curves), turns

    def _moved(self, curves: tuple[str, ...]) -> tuple[Int[np.ndarray, "_"], Float[np.ndarray, "_"]]:
        """Return the vertices that the shapes of some curves move, and how far."""
        strengths = self.mesh.strengths()
        verts, far = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for shape, sources in zip(self.plan.shapes, self.plan.sources, strict=True):
            spoken = self.plan.visemes is not None and not sources and "jawOpen" in curves
            if spoken or any(name in sources for name in curves):
                for target, _ in shape.moves:
                    some = strengths.get(target)
                    if some is not None:
                        verts.append(some[0])
                        far.append(some[1])
        return np.concatenate(verts), np.concatenate(far)

    def _face(self) -> Int[np.ndarray, "_"]:
        """Return the vertices of the face: what shapes move, else what the head carries."""
        moved = [verts for verts, _ in self.mesh.strengths().values()]
        face = np.unique(np.concatenate([np.zeros(0, np.int64), *moved]))
        if len(face):
            return face
        shares = self.mesh.shares()
        carried = sum(share for bone, share in shares.items() if bone is not None)
        return np.flatnonzero(np.asarray(carried) > _MUCH)
