"""Small avatars that tests make, as any program would write them, and a plain reader of what they do.

A face is a grid of 5 x 5 vertices, 0.2 m wide, whose corners, middle and edges shapes move. It is written with
`json` and `struct` alone, and evaluated vertex by vertex as the glTF specification says.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

SIDE = 5
ARKIT_FEW = ("jawOpen", "mouthClose", "mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft", "eyeBlinkRight")


class Glb:
    """A glTF file in the making."""

    def __init__(self) -> None:
        self.json: dict[str, Any] = {"asset": {"version": "2.0", "generator": "a test"}}
        self.binary = b""

    def add(self, key: str, entry: dict[str, Any]) -> int:
        self.json.setdefault(key, []).append(entry)
        return len(self.json[key]) - 1

    def view(self, data: bytes, **fields: Any) -> int:
        self.binary += bytes(-len(self.binary) % 4)
        at = len(self.binary)
        self.binary += data
        return self.add(
            "bufferViews", {"buffer": 0, "byteOffset": at, "byteLength": len(data), **fields}
        )

    def accessor(self, values: np.ndarray, kind: str, code: int, **fields: Any) -> int:
        return self.add(
            "accessors",
            {
                "bufferView": self.view(values.tobytes()),
                "componentType": code,
                "count": len(values),
                "type": kind,
                **fields,
            },
        )

    def bytes(self) -> bytes:
        content = {**self.json, "buffers": [{"byteLength": len(self.binary)}]}
        text = json.dumps(content).encode()
        text += b" " * (-len(text) % 4)
        binary = self.binary + bytes(-len(self.binary) % 4)
        total = 12 + 8 + len(text) + 8 + len(binary)
        head = struct.pack("<4sII", b"glTF", 2, total)
        return (
            head
            + struct.pack("<I4s", len(text), b"JSON")
            + text
            + struct.pack("<I4s", len(binary), b"BIN\0")
            + binary
        )

    def write(self, path: Path) -> Path:
        path.write_bytes(self.bytes())
        return path


def grid() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points (25 3) at head height, triangles (32 3) and coordinates (25 2) of the face."""
    across, up = np.meshgrid(np.linspace(-0.1, 0.1, SIDE), np.linspace(1.6, 1.4, SIDE))
    points = np.stack([across, up, 0.02 - across**2], axis=-1).reshape(-1, 3).astype(np.float32)
    uv = np.stack(np.meshgrid(np.linspace(0, 1, SIDE), np.linspace(0, 1, SIDE)), -1).reshape(-1, 2)
    cells = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a, b, c, d = cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return points, faces.astype(np.uint16), uv.astype(np.float32)


def step(number: int) -> np.ndarray:
    """Return the steps (25 3) of shape `number`: three vertices, each shape others, by some millimetres."""
    steps = np.zeros((SIDE * SIDE, 3), np.float32)
    rows = (np.arange(3) * 7 + number * 3) % (SIDE * SIDE)
    steps[rows] = np.float32(0.001) * np.array([[number % 5 - 2, -3 - number % 3, 1]], np.float32)
    return steps


def face(
    names: Sequence[str],
    *,
    still: Sequence[str] = (),
    named_on: str = "mesh",
    skinned: bool = True,
    picture: np.ndarray | None = None,
    eyes: bool = True,
    jaw: bool = False,
    double: bool = False,
    alpha: str = "OPAQUE",
) -> Glb:
    """Return an avatar whose face has shapes of these `names`; those that are `still` move nothing."""
    glb = Glb()
    points, faces, uv = grid()
    material: dict[str, Any] = {"name": "skin", "doubleSided": double, "alphaMode": alpha}
    if picture is not None:
        stored = io.BytesIO()
        Image.fromarray(picture).save(stored, format="PNG")
        image = glb.add("images", {"bufferView": glb.view(stored.getvalue()), "mimeType": "image/png"})
        texture = glb.add("textures", {"source": image})
        material["pbrMetallicRoughness"] = {"baseColorTexture": {"index": texture}}
    primitive: dict[str, Any] = {
        "attributes": {
            "POSITION": glb.accessor(
                points, "VEC3", 5126, min=points.min(0).tolist(), max=points.max(0).tolist()
            ),
            "TEXCOORD_0": glb.accessor(uv, "VEC2", 5126),
        },
        "indices": glb.accessor(faces.reshape(-1), "SCALAR", 5123),
        "material": glb.add("materials", material),
        "targets": [
            {"POSITION": glb.accessor(step(number) * (name not in still), "VEC3", 5126)}
            for number, name in enumerate(names)
        ],
    }
    mesh: dict[str, Any] = {"name": "face", "primitives": [primitive]}
    (mesh if named_on == "mesh" else primitive)["extras"] = {"targetNames": list(names)}
    number = glb.add("meshes", mesh)
    # The head leans a little, so that its axes are not those of the world.
    lean = Rotation.from_euler("xyz", [0.2, 0.1, -0.15]).as_quat().tolist()
    nodes: list[dict[str, Any]] = [
        {"name": "Hips", "translation": [0, 0.9, 0], "children": [1]},
        {"name": "Neck", "translation": [0, 0.45, -0.02], "rotation": lean, "children": [2]},
        {"name": "Head", "translation": [0, 0.08, 0.01], "children": []},
        {"name": "face", "mesh": number},
    ]
    bones = [name for name, there in (("LeftEye", eyes), ("RightEye", eyes), ("Jaw", jaw)) if there]
    for name in bones:
        x = {"LeftEye": 0.03, "RightEye": -0.03, "Jaw": 0.0}[name]
        nodes[2]["children"].append(len(nodes))
        nodes.append({"name": name, "translation": [x, 0.05 if x else -0.02, 0.05]})
    for node in nodes:
        glb.add("nodes", node)
    glb.json["scenes"], glb.json["scene"] = [{"nodes": [0, 3]}], 0
    if skinned:
        _skin(glb, primitive, points)
    return glb


def _skin(glb: Glb, primitive: dict[str, Any], points: np.ndarray) -> None:
    """Bind the face to all nodes but its own; lower vertices follow the neck too, single ones an eye."""
    world = worlds(glb.json)
    joints = [number for number, node in enumerate(glb.json["nodes"]) if "mesh" not in node]
    binds = np.stack([np.linalg.inv(world[joint]).T for joint in joints]).astype(np.float32)
    share = np.clip((points[:, 1] - 1.4) / 0.1, 0, 1)
    of = np.zeros((len(points), 4), np.uint8)
    weights = np.zeros((len(points), 4), np.float32)
    of[:, 0], weights[:, 0] = joints.index(2), share
    of[:, 1], weights[:, 1] = joints.index(1), 1 - share
    for number in range(4, len(glb.json["nodes"])):
        vertex = 3 + 2 * number
        of[vertex, 2], weights[vertex, :3] = joints.index(number), [0.25, 0.0, 0.75]
    primitive["attributes"] |= {
        "JOINTS_0": glb.accessor(of, "VEC4", 5121),
        "WEIGHTS_0": glb.accessor(weights, "VEC4", 5126),
    }
    skin = {"joints": joints, "inverseBindMatrices": glb.accessor(binds, "MAT4", 5126)}
    glb.json["nodes"][3]["skin"] = glb.add("skins", skin)


def split(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return JSON and binary chunk of a GLB."""
    data = path.read_bytes()
    length, _ = struct.unpack_from("<II", data, 12)
    text, rest = data[20 : 20 + length], data[20 + length :]
    return json.loads(text), rest[8 : 8 + struct.unpack_from("<I", rest)[0]] if rest else b""


def array(content: dict[str, Any], binary: bytes, index: int) -> np.ndarray:
    """Return the numbers of an accessor, one row an element; without strides and sparse values."""
    accessor = content["accessors"][index]
    view = content["bufferViews"][accessor["bufferView"]]
    kind = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}[accessor["componentType"]]
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor["type"]]
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    found = np.frombuffer(binary, kind, accessor["count"] * width, start)
    return found.reshape(accessor["count"], width)


def worlds(content: dict[str, Any], turned: dict[int, np.ndarray] | None = None) -> dict[int, np.ndarray]:
    """Return the matrix of each node; `turned` are rotations in place of those of the file."""
    found: dict[int, np.ndarray] = {}

    def visit(number: int, carried: np.ndarray) -> None:
        node, local = content["nodes"][number], np.eye(4)
        rotation = (turned or {}).get(number, node.get("rotation", [0, 0, 0, 1]))
        local[:3, :3] = Rotation.from_quat(rotation).as_matrix() * np.array(node.get("scale", [1, 1, 1]))
        local[:3, 3] = node.get("translation", [0, 0, 0])
        found[number] = carried @ local
        for child in node.get("children", []):
            visit(child, found[number])

    for root in content["scenes"][0]["nodes"]:
        visit(root, np.eye(4))
    return found


def evaluated(path: Path, frame: int) -> list[np.ndarray]:
    """Return the vertices of each primitive at a key of the last animation: shapes, then skin, one vertex after
    the other."""
    content, binary = split(path)
    turned: dict[int, np.ndarray] = {}
    weights: dict[int, np.ndarray] = {}
    animation = content["animations"][-1]
    for channel in animation["channels"]:
        sampler = animation["samplers"][channel["sampler"]]
        keys = len(array(content, binary, sampler["input"]))
        values = array(content, binary, sampler["output"]).reshape(keys, -1)[frame]
        {"rotation": turned, "weights": weights}[channel["target"]["path"]][channel["target"]["node"]] = values
    world = worlds(content, turned)
    found = []
    for number, node in enumerate(content["nodes"]):
        if "mesh" not in node:
            continue
        for primitive in content["meshes"][node["mesh"]]["primitives"]:
            points = array(content, binary, primitive["attributes"]["POSITION"]).astype(np.float64)
            for weight, target in zip(weights.get(number, ()), primitive.get("targets", ()), strict=False):
                points = points + weight * array(content, binary, target["POSITION"])
            found.append(_skinned(content, binary, node, primitive, points, world, number))
    return found


def _skinned(
    content: dict[str, Any],
    binary: bytes,
    node: dict[str, Any],
    primitive: dict[str, Any],
    points: np.ndarray,
    world: dict[int, np.ndarray],
    number: int,
) -> np.ndarray:
    if "skin" not in node:
        return points @ world[number][:3, :3].T + world[number][:3, 3]
    skin = content["skins"][node["skin"]]
    binds = array(content, binary, skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
    of = array(content, binary, primitive["attributes"]["JOINTS_0"])
    share = array(content, binary, primitive["attributes"]["WEIGHTS_0"])
    placed = np.zeros_like(points)
    for vertex, point in enumerate(points):
        for joint, weight in zip(of[vertex], share[vertex], strict=True):
            matrix = world[skin["joints"][joint]] @ binds[joint]
            placed[vertex] += weight * (matrix @ np.append(point, 1.0))[:3]
    return placed
