"""Vertices of an animated glTF document, evaluated as any viewer does: targets by weights, then joints.

Axis names: `frames` (chosen keys of the animation), `rows` (vertices of a primitive), `joints`. It reads
nothing but the document, so that it shows what the file shows. It knows files with one animation of linear
samplers over the same keys, as `document.py` writes them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation

from talkcli.engine.gltf.accessors import read_accessor
from talkcli.engine.gltf.document import Document


class Reread:
    """The animation of `document`."""

    def __init__(self, document: Document) -> None:
        self._document = document
        animation = document.element("animations", 0)
        self._tracks: dict[tuple[int, str], np.ndarray] = {}
        for channel in animation["channels"]:
            sampler = animation["samplers"][channel["sampler"]]
            self.times_s: Float[np.ndarray, "frames"] = read_accessor(document, sampler["input"])
            values = read_accessor(document, sampler["output"]).reshape(len(self.times_s), -1)
            self._tracks[channel["target"]["node"], channel["target"]["path"]] = values
        nodes = document.json["nodes"]
        self._primitive = cache(self._read_primitive)
        self._parent = {
            child: node for node, entry in enumerate(nodes) for child in entry.get("children", [])
        }

    def vertices(
        self, node: int, primitive: int, frames: Int[np.ndarray, "frames"], only: Int[np.ndarray, "rows"]
    ) -> Float[np.ndarray, "frames rows 3"]:
        """Return the vertices `only` of a primitive of the mesh of `node` at the keys `frames`."""
        rest, steps, joints, shares = self._primitive(node, primitive)
        places = np.repeat(rest[None, only], len(frames), axis=0)
        if len(steps):
            places += np.tensordot(
                self._tracks[node, "weights"][frames].astype(np.float64), steps[:, only], 1
            )
        matrices = self._joints(self._document.element("nodes", node)["skin"], frames)
        moved = np.zeros_like(places)
        for joint in np.unique(joints[only]):
            share = np.where(joints[only] == joint, shares[only], 0).sum(axis=1)
            follows = share > 0
            matrix = matrices[:, joint]
            turned = places[:, follows] @ matrix[:, :, :3].mT + matrix[:, None, :, 3]
            moved[:, follows] += share[follows, None] * turned
        return moved

    def _read_primitive(self, node: int, primitive: int) -> tuple[np.ndarray, ...]:
        """Return places at rest, targets, joints and shares of a primitive's vertices."""
        mesh = self._document.element("nodes", node)["mesh"]
        part: dict[str, Any] = self._document.element("meshes", mesh)["primitives"][primitive]
        rest, joints, shares = (
            read_accessor(self._document, part["attributes"][key])
            for key in ("POSITION", "JOINTS_0", "WEIGHTS_0")
        )
        steps = [read_accessor(self._document, target["POSITION"]) for target in part.get("targets", [])]
        return rest.astype(np.float64), np.array(steps, np.float64), joints, shares.astype(np.float64)

    def _joints(self, skin: int, frames: Int[np.ndarray, "frames"]) -> Float[np.ndarray, "frames joints 3 4"]:
        """Return what each joint of a skin does to a vertex at rest."""
        entry = self._document.element("skins", skin)
        binds = read_accessor(self._document, entry["inverseBindMatrices"]).astype(np.float64)
        worlds = np.stack([self._world(node, frames) for node in entry["joints"]], axis=1)
        return (worlds @ binds)[:, :, :3]

    def _world(self, node: int, frames: Int[np.ndarray, "frames"]) -> Float[np.ndarray, "frames 4 4"]:
        entry = self._document.element("nodes", node)
        matrices = np.tile(np.eye(4), (len(frames), 1, 1))
        turn, place = (
            self._tracks[node, path][frames] if (node, path) in self._tracks else entry.get(path, at_rest)
            for path, at_rest in (("rotation", (0.0, 0.0, 0.0, 1.0)), ("translation", (0.0, 0.0, 0.0)))
        )
        matrices[:, :3, :3] = Rotation.from_quat(turn).as_matrix()
        matrices[:, :3, 3] = place
        return self._world(self._parent[node], frames) @ matrices if node in self._parent else matrices
