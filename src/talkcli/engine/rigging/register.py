"""Registration: a template mesh bent until it lies on a target, by non-rigid ICP.

Axis names: `verts` of the template, `points`. Metres.
After Amberg, Romdhani and Vetter (2007): a stiffness that falls step by step, closest points that are dropped
by distance and by normal, and landmarks. The unknowns are displacements, and the stiffness is that of a thin
plate (the Laplacian's square); the landmarks' warp comes first, so that no turn is left to find.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.interpolate import RBFInterpolator
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import splu

from talkcli.engine.rigging.mouth_sides import LOWER, UPPER, side_of_faces
from talkcli.engine.rigging.surface_mesh import Closest, SurfaceMesh
from talkcli.engine.types import Reporter

# Stiffness of each step, and the distance in metres beyond which a closest point does not count.
_STEPS = ((60.0, 0.02), (20.0, 0.015), (6.0, 0.01), (2.0, 0.008), (0.7, 0.006), (0.3, 0.005))
_ROUNDS = 3
# Least cosine between normals of points that belong together.
_FACING = 0.5
# Weights of landmarks on the first and on the last step; a closest point has 1.
_MARKS = (30.0, 6.0)
# Smoothing of the warp by landmarks, which a scan's contour does not deserve to the millimetre.
_WARP_SMOOTHING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Side:
    """A mesh with the sides of its mouth."""

    mesh: SurfaceMesh
    sides: Int[np.ndarray, "verts"]

    def closest(self, side: int) -> Closest:
        """Return a finder on the triangles of one side, and those of none."""
        chosen = side_of_faces(self.mesh, self.sides)
        other = {UPPER: LOWER, LOWER: UPPER}.get(side)
        return Closest(self.mesh.part(chosen != other))


def warp(
    points: Float[np.ndarray, "points 3"],
    source: Float[np.ndarray, "marks 3"],
    target: Float[np.ndarray, "marks 3"],
) -> Float[np.ndarray, "points 3"]:
    """Return `points` where the smooth map that takes landmarks of `source` to `target` takes them."""
    # Landmarks in one place, as those of closed lips are, may go to two.
    places, first = np.unique(np.round(source, 5), axis=0, return_index=True)
    del places
    bend = RBFInterpolator(
        source[first], target[first] - source[first], kernel="linear", smoothing=_WARP_SMOOTHING, degree=1
    )
    moved: np.ndarray = points + bend(points)
    return moved


def register(
    template: Side,
    target: Side,
    *,
    keys: Int[np.ndarray, "points"],
    places: Float[np.ndarray, "points 3"],
    trusted: Bool[np.ndarray, "verts"],
    reporter: Reporter,
) -> Float[np.ndarray, "verts 3"]:
    """Return the vertices of `template` on `target`.

    Args:
        template: Mesh to bend, already near the target.
        target: Mesh to lie on.
        keys: Vertices of the template whose places are known.
        places: Where they belong.
        trusted: Vertices that follow closest points; the others follow their neighbours.
        reporter: Receiver of progress.
    """
    mesh = template.mesh
    plate = _plate(mesh)
    num = len(mesh.vertices)
    finders = {side: target.closest(side) for side in map(int, np.unique(template.sides))}
    # Several keys may share a vertex.
    held = np.bincount(keys, minlength=num).astype(float)
    pulled = np.stack([np.bincount(keys, places[:, axis], minlength=num) for axis in range(3)], axis=1)
    now = mesh.vertices.copy()
    for step, (stiffness, farthest) in enumerate(_STEPS):
        share = step / (len(_STEPS) - 1)
        marks = _MARKS[0] ** (1 - share) * _MARKS[1] ** share
        for turn in range(_ROUNDS):
            reporter.progress("registering", step * _ROUNDS + turn, len(_STEPS) * _ROUNDS)
            found, weights = _matches(mesh.moved(now), template.sides, target, finders, farthest)
            weights = weights * trusted
            matrix = stiffness * plate + diags(weights + marks * held + 1e-6)
            rhs = weights[:, None] * (found - mesh.vertices) + marks * (
                pulled - held[:, None] * mesh.vertices
            )
            now = mesh.vertices + splu(matrix.tocsc()).solve(rhs)
    return now


def _matches(
    mesh: SurfaceMesh,
    sides: Int[np.ndarray, "verts"],
    target: Side,
    finders: dict[int, Closest],
    farthest: float,
) -> tuple[Float[np.ndarray, "verts 3"], Float[np.ndarray, "verts"]]:
    """Return the closest point of each vertex on its side, and its weight."""
    points, weights = np.zeros_like(mesh.vertices), np.zeros(len(mesh.vertices))
    for side, finder in finders.items():
        chosen = np.flatnonzero(sides == side)
        at = finder(mesh.vertices[chosen], mesh.normals[chosen])
        points[chosen] = at.of(target.mesh.vertices)
        normals = at.of(target.mesh.normals)
        facing = (normals * mesh.normals[chosen]).sum(axis=1)
        # Beyond the rim of an open mesh every vertex would gather on it.
        on_rim = at.of(target.mesh.rim.astype(float)) > 0.4
        weights[chosen] = (at.distances < farthest) & (facing > _FACING) & ~on_rim
    return points, weights


def _plate(mesh: SurfaceMesh) -> csr_matrix:
    """Return the square of the mesh's normalised Laplacian."""
    links = mesh.edges.copy()
    links.data[:] = 1.0
    degrees = np.asarray(links.sum(axis=1)).ravel()
    laplacian = diags(np.ones(len(degrees))) - diags(1.0 / degrees.clip(min=1.0)) @ links
    return (laplacian.T @ laplacian).tocsr()
