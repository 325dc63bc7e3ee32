"""The nodes of an avatar at rest: who carries whom, and where each one is.

Axis names: `nodes`. Matrices take points of a node to the subject's space: metres, y up, z where the subject
looks, x to the subject's left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from talkcli.engine.face.avatar.names import LONGEST
from talkcli.engine.gltf.document import Document

MOST_NODES = 20_000
_FARTHEST = 1e6


@dataclass(frozen=True)
class Nodes:
    """The nodes of the scene that a viewer shows."""

    document: Document
    parents: tuple[int | None, ...]
    shown: tuple[int, ...]
    """Nodes of the scene, each after the one that carries it."""
    local: Float[np.ndarray, "nodes 4 4"]
    turned: bool = False
    """Whether the model looks along -z, as those of VRM 0 do, and is turned round."""

    @cached_property
    def world(self) -> Float[np.ndarray, "nodes 4 4"]:
        """Matrix of each node; that of what is not shown is 0."""
        found = np.zeros_like(self.local)
        about = np.diag([-1.0, 1.0, -1.0, 1.0]) if self.turned else np.eye(4)
        for node in self.shown:
            parent = self.parents[node]
            found[node] = (about if parent is None else found[parent]) @ self.local[node]
        return found

    def place(self, node: int) -> Float[np.ndarray, "3"]:
        """Return where the origin of a node is, in metres."""
        return self.world[node, :3, 3]

    def turn(self, node: int) -> Rotation:
        """Return the rotation of a node without its scale: the nearest to its matrix."""
        left, _, right = np.linalg.svd(self.world[node, :3, :3])
        near = left @ right
        if np.linalg.det(near) < 0:
            left[:, -1] *= -1
            near = left @ right
        return Rotation.from_matrix(near)

    def name(self, node: int) -> str:
        """Return the name of a node; empty where it has none."""
        return str(self.document.json["nodes"][node].get("name") or "")[:LONGEST]

    def chain(self, node: int) -> list[int]:
        """Return a node and all that carry it, from the node up."""
        found = [node]
        while (parent := self.parents[found[-1]]) is not None:
            found.append(parent)
        return found


def read_nodes(document: Document, *, turned: bool = False) -> Nodes:
    """Return the nodes of the document's scene; of all that nothing carries where it has no scene.

    Raises InputError for nodes that carry each other, and for transforms that are no numbers.
    """
    entries = document.json.get("nodes", [])
    if len(entries) > MOST_NODES:
        raise document.wrong(f"has {len(entries)} nodes, {MOST_NODES} at most are read")
    parents: list[int | None] = [None] * len(entries)
    for number, entry in enumerate(entries):
        for child in _list(document, entry, "children"):
            document.element("nodes", child)
            if parents[child] is not None or child == number:
                raise document.wrong(f"has a node {child} that two nodes carry")
            parents[child] = number
    local = _matrices(document, entries)
    carried = [_list(document, entry, "children") for entry in entries]
    if len(_below([node for node, parent in enumerate(parents) if parent is None], carried)) < len(entries):
        raise document.wrong("has nodes that carry each other")
    shown = _below(_roots(document, parents), carried)
    nodes = Nodes(document, tuple(parents), tuple(shown), local, turned)
    with np.errstate(all="ignore"):
        if not (np.abs(nodes.world) < _FARTHEST).all():
            raise document.wrong("has nodes farther away than any avatar")
    return nodes


def _below(roots: list[int], carried: list[list[int]]) -> list[int]:
    """Return `roots` and all that they carry, each after what carries it, which is one node at most."""
    found, level = [], roots
    while level:
        found += level
        level = [child for node in level for child in carried[node]]
    return found


def _roots(document: Document, parents: list[int | None]) -> list[int]:
    scenes = document.json.get("scenes", [])
    if not scenes:
        return [node for node, parent in enumerate(parents) if parent is None]
    chosen = document.element("scenes", document.whole(document.json, "scene", 0))
    # Each once, in the order of the file.
    roots = dict.fromkeys(_list(document, chosen, "nodes"))
    for node in roots:
        document.element("nodes", node)
    return [node for node in roots if parents[node] is None]


def _list(document: Document, entry: dict[str, object], key: str) -> list[int]:
    found = entry.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, int) for item in found):
        raise document.wrong(f"has {key} that are no list of numbers")
    return found


def numbers(document: Document, entry: dict[str, object], key: str, default: list[float]) -> list[float]:
    """Return the list of numbers `entry[key]`, as many as `default` has, which is used where it is absent.

    Raises InputError for anything else.
    """
    found = entry.get(key, default)
    if (
        not isinstance(found, list)
        or len(found) != len(default)
        or not all(isinstance(item, int | float) and not isinstance(item, bool) for item in found)
    ):
        raise document.wrong(f"has {key} that are not {len(default)} numbers")
    return [float(item) for item in found]


def _matrices(document: Document, entries: list[dict[str, object]]) -> Float[np.ndarray, "nodes 4 4"]:
    """Return the matrix of each node: its own, or that of its translation, rotation and scale."""
    found = np.tile(np.eye(4), (len(entries), 1, 1))
    rotations = [numbers(document, entry, "rotation", [0.0, 0.0, 0.0, 1.0]) for entry in entries]
    turns = np.array(rotations).reshape(-1, 4)
    lengths = np.linalg.norm(turns, axis=1)
    turns[~((lengths > 1e-9) & (lengths < _FARTHEST))] = [0.0, 0.0, 0.0, 1.0]
    if len(entries):
        found[:, :3, :3] = Rotation.from_quat(turns).as_matrix()
    for node, entry in enumerate(entries):
        if "matrix" in entry:
            found[node] = np.array(numbers(document, entry, "matrix", [0.0] * 16)).reshape(4, 4).T
        else:
            found[node, :3, :3] *= numbers(document, entry, "scale", [1.0, 1.0, 1.0])
            found[node, :3, 3] = numbers(document, entry, "translation", [0.0, 0.0, 0.0])
    return found
