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
from talkcli.engine.exports.rig.rig import INFLUENCES, Moves, Rig, Target, influences
from talkcli.engine.exports.rig.skin_texture import SkinTexture
from talkcli.engine.exports.rig.unwrap import Unwrapped
from talkcli.engine.gltf.accessors import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, add_accessor, add_sparse
from talkcli.engine.gltf.animation import Animation
from talkcli.engine.gltf.document import Document, new_document
from talkcli.engine.version import __version__

# Names of the nodes with a mesh: what targets move, and what only joints move.
FACE, HEAD = "face", "rest"
_SHORT = 65535


@dataclass
class RigDocument:
    """A document, and where the vertices of the rig lie in it."""

    document: Document
    face: int
    """Index of the node whose mesh has the targets."""
    places: dict[tuple[int, int], Int[np.ndarray, "rows"]] = field(default_factory=dict)
    """Vertices of the rig in each primitive, by node and primitive."""


@dataclass(frozen=True)
class Textured:
    """The part of a head that has pictures instead of colours of its vertices."""

    part: str
    mesh: Unwrapped
    texture: SkinTexture


def rig_document(
    rig: Rig,
    moves: Moves | None,
    *,
    extras: Mapping[str, Any],
    sound: str | None = None,
    textured: Textured | None = None,
) -> RigDocument:
    """Return `rig` as a document, moved by `moves` if there are any.

    Args:
        rig: The rig.
        moves: Its motion, whose weights are those of the rig's targets.
        extras: What the asset says of itself, in values that JSON holds.
        sound: Name of the sound file beside the document.
        textured: The part with pictures; None: all colours are those of vertices.
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
            rows, primitive = _primitive(document, rig, part, rig.targets if names else (), textured)
            rows_of.append(rows)
            primitives.append(primitive | ({"extras": {"targetNames": names}} if names else {}))
        mesh: dict[str, Any] = {"name": name, "primitives": primitives}
        if names:
            mesh |= {"weights": [0.0] * len(names), "extras": {"targetNames": names}}
        node = document.add("nodes", {"name": name, "mesh": document.add("meshes", mesh), "skin": skin})
        nodes.append(node)
        result.places |= {(node, index): rows for index, rows in enumerate(rows_of)}
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
    return [float(value) for value in (place.astype(np.float64) - origin).astype(np.float32)]


def _add_skin(document: Document, rig: Rig, joints: Sequence[int]) -> int:
    binds = np.tile(np.eye(4, dtype=np.float32), (len(joints), 1, 1))
    binds[:, :3, 3] = -np.stack([joint.place for joint in rig.joints])
    return document.add(
        "skins",
        {"joints": list(joints), "skeleton": joints[0], "inverseBindMatrices": add_accessor(document, binds)},
    )


def _primitive(
    document: Document, rig: Rig, part: int, targets: Sequence[Target], textured: Textured | None
) -> tuple[Int[np.ndarray, "rows"], dict[str, Any]]:
    """Add one part of the head with its targets; return its vertices and the primitive."""
    topology = rig.topology
    material = material_of(topology.parts[part])
    attributes: dict[str, int] = {}
    if textured is not None and textured.part == topology.parts[part]:
        rows, faces = textured.mesh.rows, textured.mesh.faces
        attributes["TANGENT"] = add_accessor(document, textured.mesh.tangents, target=ARRAY_BUFFER)
        attributes["TEXCOORD_0"] = add_accessor(document, textured.mesh.uv, target=ARRAY_BUFFER)
        material["pbrMetallicRoughness"]["baseColorTexture"] = _add_texture(document, textured.texture.colour)
        material["normalTexture"] = _add_texture(document, textured.texture.normal)
    else:
        rows, faces = np.unique(topology.faces[topology.part_of_face == part], return_inverse=True)
        colours = np.concatenate([topology.colours[rows].clip(0, 1), np.ones((len(rows), 1))], axis=1)
        attributes["COLOR_0"] = add_accessor(
            document, np.rint(colours * _SHORT).astype(np.uint16), target=ARRAY_BUFFER, normalized=True
        )
    joints, shares = _influences(rig.shares[rows])
    attributes |= {
        "POSITION": add_accessor(document, topology.template[rows], target=ARRAY_BUFFER, bounds=True),
        "NORMAL": add_accessor(document, rig.normals[rows], target=ARRAY_BUFFER),
        "JOINTS_0": add_accessor(document, joints, target=ARRAY_BUFFER),
        "WEIGHTS_0": add_accessor(document, shares, target=ARRAY_BUFFER),
    }
    primitive: dict[str, Any] = {
        "attributes": attributes,
        "indices": add_accessor(document, faces.ravel(), target=ELEMENT_ARRAY_BUFFER),
        "material": document.add("materials", material),
    }
    if targets:
        primitive["targets"] = [
            {
                "POSITION": _changes(document, rows, x.rows, x.steps, bounds=True),
                "NORMAL": _changes(document, rows, x.bent, x.bends),
            }
            for x in targets
        ]
    return rows, primitive


def _add_texture(document: Document, picture: bytes) -> dict[str, int]:
    """Add a JPEG that repeats sideways, and return the reference to it."""
    view = document.add_view(picture)
    image = document.add("images", {"bufferView": view, "mimeType": "image/jpeg"})
    if "samplers" not in document.json:
        document.add("samplers", _SAMPLER)
    return {"index": document.add("textures", {"source": image, "sampler": 0})}


# Linear between texels and between sizes of the picture; it repeats to the right, and ends above and below.
_SAMPLER = {"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 33071}


def _changes(
    document: Document,
    rows: Int[np.ndarray, "rows"],
    changed: Int[np.ndarray, "others"],
    steps: Float[np.ndarray, "others 3"],
    *,
    bounds: bool = False,
) -> int:
    """Add the part of a target that lies in a primitive with the vertices `rows`: `steps` of the vertices
    `changed`; one step of 0 where none of them is there.
    """
    at = np.full(max(rows.max(initial=0), changed.max(initial=0)) + 1, -1)
    at[changed] = np.arange(len(changed))
    at = at[rows]
    here = np.flatnonzero(at >= 0)
    if not len(here):
        return add_sparse(
            document, len(rows), np.zeros(1, np.int64), np.zeros((1, 3), np.float32), bounds=bounds
        )
    return add_sparse(document, len(rows), here, steps[at[here]], bounds=bounds)


def _influences(shares: Float[np.ndarray, "rows joints"]) -> tuple[np.ndarray, np.ndarray]:
    """Return the joints of each vertex and their shares, `INFLUENCES` each, as glTF wants them."""
    joints, largest = influences(shares)
    missing = INFLUENCES - joints.shape[1]
    joints, largest = (np.pad(array, ((0, 0), (0, missing))) for array in (joints, largest))
    # A joint without a share is the first one.
    return np.where(largest > 0, joints, 0).astype(np.uint8), largest


def _add_animation(
    document: Document, moves: Moves, face: int, joints: Sequence[int], sound: str | None
) -> None:
    """Add one animation of the face's weights and the joints."""
    animation = Animation(document, moves.num_frames, moves.fps)
    animation.move(face, "weights", moves.weights)
    for joint, turns in moves.turns.items():
        # glTF writes the real part last.
        animation.move(joints[joint], "rotation", turns[:, [1, 2, 3, 0]])
    for joint, places in moves.places.items():
        animation.move(joints[joint], "translation", places)
    animation.add("talk", **({} if sound is None else {"extras": {"sound": sound}}))
