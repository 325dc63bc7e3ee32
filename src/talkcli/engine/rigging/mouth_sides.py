"""Which side of the mouth a vertex belongs to: closed lips lie in one place, but apart along the skin.

Axis names: `verts`, `faces`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from talkcli.engine.rigging.surface_mesh import SurfaceMesh

# iBUG numbers of the landmarks of either lip, without the corners that both share.
UPPER_LIP = (49, 50, 51, 52, 53, 61, 62, 63)
LOWER_LIP = (55, 56, 57, 58, 59, 65, 66, 67)
NEITHER, UPPER, LOWER = 0, 1, 2
# Skin farther from the lips belongs to neither side.
_REACH = 0.6


def mouth_sides(mesh: SurfaceMesh, marks: Int[np.ndarray, "68"]) -> Int[np.ndarray, "verts"]:
    """Return UPPER or LOWER for vertices near the lips, whichever lip is nearer along edges; else NEITHER."""
    width = float(np.linalg.norm(mesh.vertices[marks[54]] - mesh.vertices[marks[48]]))
    ways = [mesh.along_edges(marks[list(lip)], _REACH * width) for lip in (UPPER_LIP, LOWER_LIP)]
    near = np.minimum(*ways) < np.inf
    return np.where(near, np.where(ways[0] <= ways[1], UPPER, LOWER), NEITHER)


def side_of_faces(mesh: SurfaceMesh, sides: Int[np.ndarray, "verts"]) -> Int[np.ndarray, "faces"]:
    """Return the side of triangles: that of most corners."""
    corners = sides[mesh.faces]
    counts = np.stack([(corners == side).sum(axis=1) for side in (NEITHER, UPPER, LOWER)], axis=1)
    found: np.ndarray = counts.argmax(axis=1)
    return found


def lips_are_one(mesh: SurfaceMesh, marks: Int[np.ndarray, "68"]) -> bool:
    """Return whether the lips are one surface, as in scans: then no shape can open the mouth."""
    width = float(np.linalg.norm(mesh.vertices[marks[54]] - mesh.vertices[marks[48]]))
    way = mesh.along_edges(marks[[61, 62, 63]], 0.5 * width)
    return bool(way[marks[[67, 66, 65]]].min() < 0.2 * width)
