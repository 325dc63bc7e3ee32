"""The meshes of an avatar as arrays: vertices at rest, triangles, skin, textures' coordinates and shapes.

Axis names: `verts` of a part, `faces`, `moving` vertices of a shape, `joints` (4 or 8 of a vertex).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.face.avatar.nodes import Nodes
from talkcli.engine.gltf.accessors import read_accessor
from talkcli.engine.gltf.document import Document
from talkcli.engine.gltf.draco import DRACO, read_draco
from talkcli.engine.gltf.views import packed_by

# Far beyond any avatar: elements of all attributes, indices and shapes together, parts, and vertices.
_MOST_ELEMENTS, _MOST_PARTS, _MOST_VERTS = 20_000_000, 300, 1 << 20
# Every accessor takes time, and every byte that is unpacked.
_READING, _ELEMENT_BYTES = 64, 12
# A shape moves what it moves farther than this; smaller steps are rounding.
_STILL_M = 1e-9
_TRIANGLES, _STRIP, _FAN = 4, 5, 6


@dataclass(frozen=True)
class Skin:
    """Joints of a skin, which are nodes, and their inverse bind matrices."""

    joints: Int[np.ndarray, "all"]
    binds: Float[np.ndarray, "all 4 4"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One primitive of a mesh under one node."""

    node: int
    material: int | None
    points: Float[np.ndarray, "verts 3"]
    faces: Int[np.ndarray, "faces 3"]
    uv: Float[np.ndarray, "verts 2"] | None
    """Coordinates in the texture of the material's colour."""
    colours: Float[np.ndarray, "verts 4"] | None
    skin: Skin | None
    """None: the part moves with its own node."""
    joints: Int[np.ndarray, "verts joints"]
    """Numbers of joints of the skin."""
    weights: Float[np.ndarray, "verts joints"]
    shapes: Mapping[int, tuple[Int[np.ndarray, "moving"], Float[np.ndarray, "moving 3"]]]
    """Steps of the vertices that each shape moves, by the number of the shape; one that moves nothing is
    missing."""


class Reader:
    """Reads accessors of a document, as many elements as any avatar has."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._left = _MOST_ELEMENTS

    def charge(self, elements: int) -> None:
        """Count `elements` that are about to be read. Raises InputError for too many."""
        self._left -= elements + _READING
        if self._left < 0:
            raise self.document.wrong("has more vertices and shapes than any avatar")

    def read(self, index: object, *shapes: tuple[int, ...], most: int = _MOST_ELEMENTS) -> np.ndarray:
        """Return accessor `index`, whose elements, `most` at most, have one of `shapes`.

        Raises InputError for another.
        """
        document = self.document
        stated = document.element("accessors", index)
        count = document.whole(stated, "count")
        self.charge(count)
        if count > most:
            raise document.wrong(f"has an accessor {index} of {count} elements, {most} at most are needed")
        if "bufferView" in stated:
            view = document.element("bufferViews", stated["bufferView"])
            if packed_by(view) is not None:
                self.charge(document.whole(view, "byteLength") // _ELEMENT_BYTES)
        found = read_accessor(document, index)
        if found.shape[1:] not in shapes:
            raise document.wrong(f"has an accessor {index} of {found.shape[1:]}, {shapes[0]} is needed")
        return found

    def floats(self, index: object, *shapes: tuple[int, ...], most: int = _MOST_ELEMENTS) -> np.ndarray:
        """Return what `read` returns as float32. Raises InputError for what is not a finite number too."""
        found = self.read(index, *shapes, most=most).astype(np.float32)
        if not np.isfinite(found).all():
            raise self.document.wrong(f"has an accessor {index} of numbers that are not finite")
        return found


def read_parts(nodes: Nodes, texture_of: Callable[[int | None], int]) -> list[Part]:
    """Return all parts that the scene shows.

    `texture_of` tells of a material (None: that of glTF) which set of coordinates its texture has. Raises
    InputError for damaged meshes, and ExtraError for one that Draco compressed where DracoPy is missing.
    """
    document, reader = nodes.document, Reader(nodes.document)
    parts: list[Part] = []
    skins: dict[int, Skin] = {}
    # Primitives that are not drawn count too: they have shapes, which are listed for every node.
    left, seen = _MOST_VERTS, 0
    for node in nodes.shown:
        entry = document.json["nodes"][node]
        if "mesh" not in entry:
            continue
        skin = _skin_of(reader, entry, skins)
        for primitive in primitives(document, entry["mesh"]):
            seen += 1
            if seen > _MOST_PARTS:
                raise document.wrong(f"has more than {_MOST_PARTS} parts of meshes")
            part = _part(reader, node, primitive, skin, texture_of, most=left)
            if part is not None:
                parts.append(part)
                left -= len(part.points)
    return parts


def primitives(document: Document, mesh: object) -> list[dict[str, Any]]:
    """Return the primitives of mesh number `mesh`. Raises InputError where they are none."""
    found = document.element("meshes", mesh).get("primitives", [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise document.wrong(f"has a mesh {mesh} whose primitives are no list of objects")
    return found


def targets(document: Document, primitive: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the shapes of a primitive. Raises InputError where they are none."""
    found = primitive.get("targets", [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise document.wrong("has targets that are no list of objects")
    return found


def _skin_of(reader: Reader, node: dict[str, Any], known: dict[int, Skin]) -> Skin | None:
    """Return the skin of a node, of those that are `known` or as a new one of them."""
    if "skin" not in node:
        return None
    stated = reader.document.element("skins", node["skin"])
    if node["skin"] not in known:
        known[node["skin"]] = _skin(reader, stated)
    return known[node["skin"]]


def _skin(reader: Reader, stated: dict[str, Any]) -> Skin:
    document = reader.document
    joints = stated.get("joints")
    if not isinstance(joints, list) or not joints:
        raise document.wrong("has a skin without joints")
    for joint in joints:
        document.element("nodes", joint)
    reader.charge(len(joints))
    if "inverseBindMatrices" in stated:
        binds = reader.floats(stated["inverseBindMatrices"], (4, 4))[: len(joints)]
        if len(binds) < len(joints):
            raise document.wrong(f"has a skin of {len(joints)} joints and {len(binds)} bind matrices")
    else:
        binds = np.tile(np.eye(4, dtype=np.float32), (len(joints), 1, 1))
    return Skin(np.array(joints, np.int64), binds)


def _part(
    reader: Reader,
    node: int,
    primitive: dict[str, Any],
    skin: Skin | None,
    texture_of: Callable[[int | None], int],
    *,
    most: int,
) -> Part | None:
    """Return the part of a primitive, of `most` vertices; None for one without triangles."""
    document = reader.document
    mode = document.whole(primitive, "mode", _TRIANGLES)
    attributes = primitive.get("attributes")
    if not isinstance(attributes, dict):
        raise document.wrong("has a primitive without attributes")
    material = document.whole(primitive, "material") if "material" in primitive else None
    if mode not in (_TRIANGLES, _STRIP, _FAN) or "POSITION" not in attributes:
        return None
    drawn = _draco_of(primitive)
    if drawn is None:
        arrays: dict[str, np.ndarray] = {}
        points = reader.floats(attributes["POSITION"], (3,), most=most)
        corners = reader.read(primitive["indices"], ()) if "indices" in primitive else np.arange(len(points))
    else:
        view = document.element("bufferViews", drawn.get("bufferView"))
        reader.charge(document.whole(view, "byteLength") // _ELEMENT_BYTES)
        arrays = read_draco(document, drawn, attributes, most=most)
        reader.charge(sum(map(len, arrays.values())))
        points, corners = arrays["POSITION"], arrays["indices"]
    if len(corners) and not (corners.min() >= 0 and corners.max() < len(points)):
        raise document.wrong(f"has triangles of vertices beyond the {len(points)} of their primitive")

    def attribute(name: str, *shapes: tuple[int, ...]) -> np.ndarray | None:
        if name in arrays:
            found = arrays[name]
        elif name in attributes:
            found = reader.read(attributes[name], *shapes, most=len(points))
        else:
            return None
        if len(found) != len(points) or found.shape[1:] not in shapes:
            raise document.wrong(f"has {name} of {found.shape} for {len(points)} vertices")
        return found

    skin, joints, weights = _weights(attribute, skin, len(points), document)
    colours = attribute("COLOR_0", (3,), (4,))
    return Part(
        node=node,
        material=material,
        points=points,
        faces=_triangles(corners.reshape(-1).astype(np.int64), mode),
        uv=_finite(attribute(f"TEXCOORD_{texture_of(material)}", (2,))),
        colours=None if colours is None else _opaque(colours),
        skin=skin,
        joints=joints,
        weights=weights,
        shapes=_shapes(reader, primitive, len(points)),
    )


def _draco_of(primitive: dict[str, Any]) -> dict[str, Any] | None:
    extensions = primitive.get("extensions")
    found = extensions.get(DRACO) if isinstance(extensions, dict) else None
    return found if isinstance(found, dict) else None


def _finite(values: np.ndarray | None) -> np.ndarray | None:
    return None if values is None else np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)


def _opaque(colours: np.ndarray) -> np.ndarray:
    """Return colours in [0, 1] with alpha."""
    values = np.nan_to_num(colours.astype(np.float32))
    if values.shape[1] == 3:
        values = np.column_stack([values, np.ones(len(values), np.float32)])
    return values.clip(0.0, 1.0)


def _weights(
    attribute: Callable[..., np.ndarray | None], skin: Skin | None, count: int, document: Document
) -> tuple[Skin | None, np.ndarray, np.ndarray]:
    """Return the skin if the `count` vertices follow it, their joints, and their weights, which sum to 1."""
    none = None, np.zeros((count, 0), np.int64), np.zeros((count, 0), np.float32)
    if skin is None:
        return none
    joints, weights = [], []
    for number in range(2):
        some, share = attribute(f"JOINTS_{number}", (4,)), attribute(f"WEIGHTS_{number}", (4,))
        if some is None or share is None:
            break
        joints.append(some.astype(np.int64))
        weights.append(np.nan_to_num(share.astype(np.float32), posinf=0.0, neginf=0.0).clip(0.0, None))
    if not joints:
        return none
    of, share = np.concatenate(joints, axis=1), np.concatenate(weights, axis=1)
    of = np.where(share > 0, of, 0)
    if of.size and (of.min() < 0 or of.max() >= len(skin.joints)):
        raise document.wrong(f"has vertices of joints beyond the {len(skin.joints)} of their skin")
    total = share.sum(axis=1, keepdims=True)
    # A vertex without weights follows the first joint.
    share[total[:, 0] <= 0, 0] = 1.0
    total = np.where(total <= 0, 1.0, total)
    return skin, of, share / total


def _triangles(corners: Int[np.ndarray, "_"], mode: int) -> Int[np.ndarray, "faces 3"]:
    """Return the triangles of a list, a strip or a fan of corners."""
    if mode == _TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    many = max(len(corners) - 2, 0)
    at = np.arange(many)
    if mode == _FAN:
        return corners[np.column_stack([np.zeros(many, np.int64), at + 1, at + 2])].reshape(-1, 3)
    odd = at % 2
    return corners[np.column_stack([at, at + 1 + odd, at + 2 - odd])].reshape(-1, 3)


def _shapes(
    reader: Reader, primitive: dict[str, Any], count: int
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return the vertices that each shape moves, and their steps."""
    document = reader.document
    found = {}
    for number, target in enumerate(targets(document, primitive)):
        if "POSITION" not in target:
            continue
        steps = reader.floats(target["POSITION"], (3,), most=count)
        if len(steps) != count:
            raise document.wrong(f"has a shape of {len(steps)} vertices for {count}")
        moved = np.flatnonzero(np.abs(steps).max(axis=1) > _STILL_M) if count else np.zeros(0, np.int64)
        if len(moved):
            found[number] = moved, steps[moved]
    return found
