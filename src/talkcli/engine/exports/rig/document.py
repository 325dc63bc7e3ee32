"""A rig as a glTF document: meshes with targets and skin, materials, joints, one animation.

Axis names: `frames`, `verts`, `targets`. Source: Khronos, glTF 2.0 specification. Names of targets stand in
`extras.targetNames` of mesh and primitives, where Blender, three.js, Babylon and UniVRM look for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.exports.rig.materials import material_of
from talkcli.engine.exports.rig.rig import Moves, Rig, Target
from talkcli.engine.gltf.accessors import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, add_accessor, add_sparse
from talkcli.engine.gltf.document import Document, new_document
from talkcli.engine.version import __version__

# Names of the nodes with a mesh: what targets move, and what only joints move.
FACE, HEAD = "face", "rest"
_INFLUENCES = 4
_SHORT = 65535


@dataclass
class RigDocument:
    """A document, and where the vertices of the rig lie in it."""

    document: Document
    face: int
    """Index of the node whose mesh has the targets."""
    vertices: dict[tuple[int, int], Int[np.ndarray, "rows"]] = field(default_factory=dict)
    """Vertices of the rig in each primitive, by node and primitive."""


def rig_document(
    rig: Rig, moves: Moves | None, *, extras: Mapping[str, Any], sound: str | None = None
) -> RigDocument:
    """Return `rig` as a document, moved by `moves` if there are any.

    Args:
        rig: The rig.
        moves: Its motion, whose weights are those of the rig's targets.
        extras: What the asset says of itself, in values that JSON holds.
        sound: Name of the sound file beside the document.
    """
    document = new_document(f"talk {__version__}", copyright=rig.licence, extras=dict(extras))
    joints = _add_joints(document, rig)
    skin = _add_skin(document, rig, joints)
    topology = rig.topology
    moved = np.zeros(len(topology.template), bool)
    for target in rig.targets:
        moved[target.rows] = True
    parts: dict[str, list[int]] = {FACE: [], HEAD: []}
    for part in np.unique(topology.part_of_face):
        used = topology.faces[topology.part_of_face == part]
        parts[FACE if moved[used].any() else HEAD].append(int(part))
    result = RigDocument(document, face=-1)
    nodes = []
    for name, chosen in parts.items():
        if not chosen:
            continue
        names = [target.name for target in rig.targets] if name == FACE else []
        primitives, rows_of = [], []
        for part in chosen:
            rows, primitive = _primitive(document, rig, part, rig.targets if names else ())
            rows_of.append(rows)
            primitives.append(primitive | ({"extras": {"targetNames": names}} if names else {}))
        mesh: dict[str, Any] = {"name": name, "primitives": primitives}
        if names:
            mesh |= {"weights": [0.0] * len(names), "extras": {"targetNames": names}}
        node = document.add("nodes", {"name": name, "mesh": document.add("meshes", mesh), "skin": skin})
        nodes.append(node)
        result.vertices |= {(node, index): rows for index, rows in enumerate(rows_of)}
        if names:
            result.face = node
    document.json["scenes"] = [{"name": topology.name, "nodes": [joints[0], *nodes]}]
    document.json["scene"] = 0
    if moves is not None:
        _add_animation(document, moves, result.face, joints, sound)
    return result


def _add_joints(document: Document, rig: Rig) -> list[int]:
    """Add a node for each joint and return their indices."""
    nodes: list[int] = []
    for joint in rig.joints:
        nodes.append(
            document.add(
                "nodes", {"name": joint.name, "translation": _offset(rig, joint.parent, joint.place)}
            )
        )
        if joint.parent is not None:
            document.json["nodes"][nodes[joint.parent]].setdefault("children", []).append(nodes[-1])
    return nodes


def _offset(rig: Rig, parent: int | None, place: Float[np.ndarray, "3"]) -> list[float]:
    origin = np.zeros(3) if parent is None else rig.joints[parent].place
    return [float(value) for value in np.float32(place.astype(np.float64) - origin)]


def _add_skin(document: Document, rig: Rig, joints: Sequence[int]) -> int:
    binds = np.tile(np.eye(4, dtype=np.float32), (len(joints), 1, 1))
    binds[:, :3, 3] = -np.stack([joint.place for joint in rig.joints])
    return document.add(
        "skins",
        {"joints": list(joints), "skeleton": joints[0], "inverseBindMatrices": add_accessor(document, binds)},
    )


def _primitive(
    document: Document, rig: Rig, part: int, targets: Sequence[Target]
) -> tuple[Int[np.ndarray, "rows"], dict[str, Any]]:
    """Add one part of the head with its targets; return its vertices and the primitive."""
    topology = rig.topology
    rows, faces = np.unique(topology.faces[topology.part_of_face == part], return_inverse=True)
    joints, shares = _influences(rig.shares[rows])
    colours = np.concatenate([topology.colours[rows].clip(0, 1), np.ones((len(rows), 1))], axis=1)
    attributes = {
        "POSITION": add_accessor(document, topology.template[rows], target=ARRAY_BUFFER, bounds=True),
        "NORMAL": add_accessor(document, rig.normals[rows], target=ARRAY_BUFFER),
        "COLOR_0": add_accessor(
            document, np.rint(colours * _SHORT).astype(np.uint16), target=ARRAY_BUFFER, normalized=True
        ),
        "JOINTS_0": add_accessor(document, joints, target=ARRAY_BUFFER),
        "WEIGHTS_0": add_accessor(document, shares, target=ARRAY_BUFFER),
    }
    primitive: dict[str, Any] = {
        "attributes": attributes,
        "indices": add_accessor(document, faces.ravel(), target=ELEMENT_ARRAY_BUFFER),
        "material": document.add("materials", material_of(topology.parts[part])),
    }
    if targets:
        place = np.full(len(topology.template), -1)
        place[rows] = np.arange(len(rows))
        primitive["targets"] = [
            {
                "POSITION": _changes(document, place[x.rows], len(rows), x.steps, bounds=True),
                "NORMAL": _changes(document, place[x.bent], len(rows), x.bends),
            }
            for x in targets
        ]
    return rows, primitive


def _changes(
    document: Document,
    place: Int[np.ndarray, "others"],
    count: int,
    steps: Float[np.ndarray, "others 3"],
    *,
    bounds: bool = False,
) -> int:
    """Add the part of a target that lies in a primitive of `count` vertices: `steps` at `place`, if that is
    not -1; one step of 0 where nothing lies there.
    """
    here = place >= 0
    if not here.any():
        return add_sparse(document, count, np.zeros(1, np.int64), np.zeros((1, 3), np.float32), bounds=bounds)
    return add_sparse(document, count, place[here], steps[here], bounds=bounds)


def _influences(
    shares: Float[np.ndarray, "rows joints"],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the joints of each vertex and their shares, four each, the greatest first."""
    order = np.argsort(-shares, axis=1, kind="stable")[:, :_INFLUENCES]
    largest = np.take_along_axis(shares, order, axis=1)
    largest /= largest.sum(axis=1, keepdims=True)
    missing = max(_INFLUENCES - order.shape[1], 0)
    order, largest = (np.pad(array, ((0, 0), (0, missing))) for array in (order, largest))
    # A joint without a share is the first one.
    return np.where(largest > 0, order, 0).astype(np.uint8), largest.astype(np.float32)


def _add_animation(
    document: Document, moves: Moves, face: int, joints: Sequence[int], sound: str | None
) -> None:
    """Add one animation with a key for each frame: frame k at k / fps seconds."""
    times = (np.arange(moves.num_frames) / moves.fps).astype(np.float32)
    keys = add_accessor(document, times, bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def add(node: int, path: str, values: np.ndarray) -> None:
        output = add_accessor(document, values.astype(np.float32))
        samplers.append({"input": keys, "output": output, "interpolation": "LINEAR"})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": path}})

    # Frame by frame, the weights of all targets.
    add(face, "weights", moves.weights.ravel())
    for joint, turns in moves.turns.items():
        # glTF writes the real part last.
        add(joints[joint], "rotation", turns[:, [1, 2, 3, 0]])
    for joint, places in moves.places.items():
        add(joints[joint], "translation", places)
    animation: dict[str, Any] = {"name": "talk", "samplers": samplers, "channels": channels}
    if sound is not None:
        animation["extras"] = {"sound": sound}
    document.add("animations", animation)
