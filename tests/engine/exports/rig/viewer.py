"""A viewer of animated GLB for tests, written from the standard alone: it shares no code with talk."""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

_TYPES = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Viewed:
    """One file, whose nodes with a mesh come one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        data = path.read_bytes()
        (size,) = struct.unpack_from("<I", data, 12)
        self.content: dict[str, Any] = json.loads(data[20 : 20 + size])
        self._binary = data[28 + size :]
        self._animation = self.content["animations"][0]
        self._accessor = cache(self._read)
        self.times_s = self._accessor(self._animation["samplers"][0]["input"])[:, 0]
        self._parent = {
            c: n for n, node in enumerate(self.content["nodes"]) for c in node.get("children", [])
        }
        self._meshes = [n for n, node in enumerate(self.content["nodes"]) if "mesh" in node]

    def weights(self) -> np.ndarray:
        return self._track_of(next(n for n in self._meshes if self._has_targets(n)), "weights")

    def track(self, name: str, path: str) -> np.ndarray:
        node = next(n for n, node in enumerate(self.content["nodes"]) if node.get("name") == name)
        return self._track_of(node, path)

    def at_rest(self) -> np.ndarray:
        return np.concatenate([self._accessor(p["attributes"]["POSITION"]) for _, p in self._primitives()])

    def of_head(self, head: Any) -> np.ndarray:
        """Return which vertex of `head` each vertex of the file is: those of a part in their order."""
        rows = []
        for _, primitive in self._primitives():
            part = head.parts.index(self.content["materials"][primitive["material"]]["name"])
            rows.append(np.unique(head.faces[head.part_of_face == part]))
        found = np.concatenate(rows)
        np.testing.assert_array_equal(self.at_rest(), head.template[found].astype(np.float32))
        return found

    def target(self, name: str) -> np.ndarray:
        found = []
        for node, primitive in self._primitives():
            names = self._mesh(node).get("extras", {}).get("targetNames", [])
            shape = (self.content["accessors"][primitive["attributes"]["POSITION"]]["count"], 3)
            steps = np.zeros(shape)
            if names:
                steps = self._accessor(primitive["targets"][names.index(name)]["POSITION"])
            found.append(steps)
        return np.concatenate(found)

    def vertices(self, frame: int) -> np.ndarray:
        found = []
        for node, primitive in self._primitives():
            places = self._accessor(primitive["attributes"]["POSITION"]).astype(float)
            if "targets" in primitive:
                for weight, target in zip(self.weights()[frame], primitive["targets"], strict=True):
                    if weight:
                        places += weight * self._accessor(target["POSITION"])
            skin = self.content["skins"][self.content["nodes"][node]["skin"]]
            binds = self._accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
            joints = [self._world(j, frame) @ bind for j, bind in zip(skin["joints"], binds, strict=True)]
            of, by = (self._accessor(primitive["attributes"][k]) for k in ("JOINTS_0", "WEIGHTS_0"))
            np.testing.assert_allclose(by.sum(1), 1, atol=1e-6)
            blended = sum(by[:, i, None, None] * np.array(joints)[of[:, i]] for i in range(4))
            found.append(np.einsum("vxy,vy->vx", blended[:, :3, :3], places) + blended[:, :3, 3])
        return np.concatenate(found)

    def _world(self, node: int, frame: int) -> np.ndarray:
        matrix = np.eye(4)
        x, y, z, w = self._value(node, "rotation", frame, (0, 0, 0, 1))
        u = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        matrix[:3, :3] = np.eye(3) + 2 * w * u + 2 * u @ u
        matrix[:3, 3] = self._value(node, "translation", frame, (0, 0, 0))
        return self._world(self._parent[node], frame) @ matrix if node in self._parent else matrix

    def _value(self, node: int, path: str, frame: int, rest: tuple[float, ...]) -> np.ndarray:
        if any(c["target"] == {"node": node, "path": path} for c in self._animation["channels"]):
            return self._track_of(node, path)[frame]
        return np.array(self.content["nodes"][node].get(path, rest))

    def _track_of(self, node: int, path: str) -> np.ndarray:
        (channel,) = [c for c in self._animation["channels"] if c["target"] == {"node": node, "path": path}]
        sampler = self._animation["samplers"][channel["sampler"]]
        return self._accessor(sampler["output"]).reshape(len(self.times_s), -1)

    def _primitives(self) -> list[tuple[int, dict[str, Any]]]:
        return [(node, primitive) for node in self._meshes for primitive in self._mesh(node)["primitives"]]

    def _mesh(self, node: int) -> dict[str, Any]:
        mesh: dict[str, Any] = self.content["meshes"][self.content["nodes"][node]["mesh"]]
        return mesh

    def _has_targets(self, node: int) -> bool:
        return "extras" in self._mesh(node)

    def _read(self, index: int) -> np.ndarray:
        accessor = self.content["accessors"][index]
        width, dtype = _WIDTHS[accessor["type"]], np.dtype(_TYPES[accessor["componentType"]])
        if "sparse" not in accessor:
            return self._numbers(accessor["bufferView"], accessor["count"], width, dtype)
        sparse = accessor["sparse"]
        values = np.zeros((accessor["count"], width), dtype)
        of = sparse["indices"]
        at = self._numbers(of["bufferView"], sparse["count"], 1, np.dtype(_TYPES[of["componentType"]]))
        values[at[:, 0]] = self._numbers(sparse["values"]["bufferView"], sparse["count"], width, dtype)
        return values

    def _numbers(self, view: int, count: int, width: int, dtype: np.dtype[Any]) -> np.ndarray:
        stated = self.content["bufferViews"][view]
        start = stated.get("byteOffset", 0)
        assert "byteStride" not in stated and count * width * dtype.itemsize == stated["byteLength"]
        return np.frombuffer(self._binary, dtype, count * width, start).reshape(count, width)
