"""An avatar as a rig: all its morph targets by their own names, without its bones.

Axis names: `verts`, `coeffs` = names of targets.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.avatar.geometry import read_parts
from talkcli.engine.face.avatar.materials import Paints
from talkcli.engine.face.avatar.mesh import Mesh
from talkcli.engine.face.avatar.nodes import read_nodes
from talkcli.engine.face.avatar.rig import read_rig
from talkcli.engine.face.avatar.shapes import Target, count_targets, target_names
from talkcli.engine.face.avatar.vrm import read_vrm
from talkcli.engine.face.landmark_file import NUM_LANDMARKS
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.gltf.document import Document, read_document
from talkcli.engine.types import Mesh as Triangles

# Key of the asset's extras under which talk rig writes the landmarks.
LANDMARKS = "landmark_vertices"
# Numbers of all shapes together: they are stored densely.
_MOST_NUMBERS = 100_000_000


def read_mesh(path: Path) -> Triangles:
    """Return the vertices at rest and the triangles of all meshes that a glTF or VRM file shows.

    Raises InputError for a damaged file.
    """
    _, _, mesh, _ = _read(path)
    return Triangles(vertices=mesh.vertices({}, {}, 1)[0], faces=mesh.faces)


def read_avatar_rig(path: Path) -> ShapeRig:
    """Return the morph targets of a glTF or VRM file as a rig; it has landmarks where talk rig made the file.

    Targets of one name in several meshes are one shape. Raises InputError for a damaged file, and for one
    without targets.
    """
    document, first, mesh, names = _read(path)
    if not names:
        raise InputError(f"{path} has no morph targets, so that nothing can be retargeted to it.")
    if len(names) * mesh.num_verts * 3 > _MOST_NUMBERS:
        raise InputError(f"{path} has {len(names)} shapes of {mesh.num_verts} vertices, more than any face.")
    rest = mesh.vertices({}, {}, 1)[0]
    full = np.ones(1, np.float32)
    deltas = [mesh.vertices(dict.fromkeys(moved, full), {}, 1)[0] - rest for moved in names.values()]
    return ShapeRig(
        name=str(path),
        channels=tuple(names),
        template=rest,
        deltas=np.stack(deltas),
        faces=mesh.faces,
        marks=_landmarks(document, first),
    )


def _landmarks(document: Document, first: int) -> np.ndarray | None:
    """Return the landmarks that talk rig wrote: vertices of the first part, which has `first` of them."""
    extras = document.json["asset"].get("extras")
    stated = extras.get(LANDMARKS) if isinstance(extras, dict) else None
    if not isinstance(stated, list) or len(stated) != NUM_LANDMARKS:
        return None
    if not all(isinstance(vertex, int) and 0 <= vertex < first for vertex in stated):
        return None
    return np.array(stated, np.int64)


def _read(path: Path) -> tuple[Document, int, Mesh, dict[str, list[Target]]]:
    """Return the document, the number of vertices of its first part, the meshes as one, and the targets of
    each name.
    """
    document = read_document(path)
    vrm = read_vrm(document)
    nodes = read_nodes(document, turned=vrm is not None and vrm.version == 0)
    parts = read_parts(nodes, Paints(document).coordinates)
    moving = {(part.node, number) for part in parts for number in part.shapes}
    names: dict[str, list[Target]] = {}
    for node in nodes.shown:
        entry = document.json["nodes"][node]
        if "mesh" in entry:
            count = count_targets(document, entry["mesh"])
            for number, name in enumerate(target_names(document, entry["mesh"], count)):
                if (node, number) in moving:
                    names.setdefault(name, []).append((node, number))
    first = len(parts[0].points) if parts else 0
    return document, first, Mesh(parts, read_rig(nodes, vrm), moving, {}), names
