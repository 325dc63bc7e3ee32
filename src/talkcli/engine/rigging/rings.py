"""Rings of mouth and eyes: edges of lips and lids of one mesh, matched to those of another between landmarks.

Axis names: `points`, `verts`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.rigging.surface_mesh import SurfaceMesh

# Landmarks in a row, by iBUG numbers: outer lips, either inner lip, either eye.
_RINGS = (
    (*range(48, 60), 48),
    (60, 61, 62, 63, 64),
    (64, 65, 66, 67, 60),
    (*range(36, 42), 36),
    (*range(42, 48), 42),
)
# The contour is where each scheme and each annotator puts it; its chin is the chin.
_FIXED = (8, *range(17, 68))


def key_places(
    template: SurfaceMesh,
    template_marks: Int[np.ndarray, "68"],
    target: SurfaceMesh,
    target_marks: Int[np.ndarray, "68"],
) -> tuple[Int[np.ndarray, "points"], Float[np.ndarray, "points 3"]]:
    """Return vertices of the template and where on the target they belong: landmarks, and the ways along
    edges between them, by their lengths.
    """
    keys, places = [int(template_marks[mark]) for mark in _FIXED], []
    places += [target.vertices[target_marks[mark]] for mark in _FIXED]
    for ring in _RINGS:
        for first, last in pairwise(ring):
            way = template.path(int(template_marks[first]), int(template_marks[last]))
            other = target.path(int(target_marks[first]), int(target_marks[last]))
            if len(way) < 3:
                continue
            along, line = (_lengths(mesh.vertices[ids]) for mesh, ids in ((template, way), (target, other)))
            for vertex, share in zip(way[1:-1], along[1:-1], strict=True):
                keys.append(int(vertex))
                points = target.vertices[other]
                places.append(np.array([np.interp(share, line, points[:, axis]) for axis in range(3)]))
    return np.array(keys), np.array(places)


def _lengths(points: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points"]:
    """Return the length of a line up to each of its points, as a share of the whole."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    total = np.concatenate([[0.0], np.cumsum(steps)])
    found: np.ndarray = total / max(total[-1], 1e-12)
    return found
