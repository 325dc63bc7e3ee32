"""Deformation transfer: shapes of one mesh on another, by the gradients of its triangles.

Axis names: `verts`, `faces`, `shapes`, `pairs`.
After Sumner and Popovic (2004): a triangle of the target deforms as the source does in the same place. As
Botsch et al. (2006) show, this is a Poisson equation in the places of vertices; it is solved here for their
displacements. Two kinds of rows stand beside the gradients: weak ones, that a vertex moves as the point of
the source does on which it lies, which anchor the mesh, and strong ones for pairs of points that touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_matrix, diags, vstack
from scipy.sparse.linalg import splu

from talkcli.engine.rigging.surface_mesh import Places, SurfaceMesh
from talkcli.engine.types import Reporter

# Length in metres beyond which places outweigh gradients.
_REACH_M = 0.008
# Weight of a pair that touches, against that of a triangle.
_TOUCH = 300.0
# Smallest area of a triangle, as a share of the mean: slivers of scans have no gradient worth following.
_SLIVER = 1e-3


@dataclass(frozen=True, kw_only=True)
class Touch:
    """Points of the target of which the difference is to be `apart`, for each shape, in metres."""

    first: Places
    second: Places
    apart: Float[np.ndarray, "shapes pairs 3"]


def gradients(mesh: SurfaceMesh, moved: Float[np.ndarray, "verts 3"]) -> Float[np.ndarray, "verts 3 3"]:
    """Return how displacements deform the surroundings of each vertex, less the identity: means of its
    triangles, by area.
    """
    good = mesh.areas > _SLIVER * mesh.areas.mean()
    faces, areas = mesh.faces[good], mesh.areas[good]
    chosen = SurfaceMesh(mesh.vertices, faces)
    rest = _frames(chosen)
    change = (_frames(chosen.moved(mesh.vertices + moved)) - rest) @ np.linalg.inv(rest)
    found, weights = np.zeros((len(mesh.vertices), 3, 3)), np.zeros(len(mesh.vertices))
    for corner in range(3):
        np.add.at(weights, faces[:, corner], areas)
        np.add.at(found, faces[:, corner], change * areas[:, None, None])
    return found / weights.clip(min=1e-20)[:, None, None]


def transfer(
    target: SurfaceMesh,
    source: SurfaceMesh,
    deltas: Float[np.ndarray, "shapes others 3"],
    *,
    places: Places,
    middles: Places,
    trust: Float[np.ndarray, "verts"],
    touching: Sequence[Touch],
    reporter: Reporter,
) -> Float[np.ndarray, "shapes verts 3"]:
    """Return the displacements of every shape.

    Args:
        target: Mesh to deform.
        source: Mesh with the shapes, at rest.
        deltas: What each shape moves of the source.
        places: Where on the source each vertex of the target lies.
        middles: Where on the source the middle of each triangle of the target lies.
        trust: Weights of the displacements at `places`.
        touching: Pairs of points that stay at given distances.
        reporter: Receiver of progress.
    """
    operator, along, areas = _operator(target)
    weights = diags(np.repeat(areas, 3))
    held = diags(trust / _REACH_M**2)
    num = len(target.vertices)
    pairs = [touch.first.rows(num) - touch.second.rows(num) for touch in touching]
    contact = vstack(pairs).tocsr() if pairs else csr_matrix((0, num))
    strength = _TOUCH / _REACH_M**2
    matrix = operator.T @ weights @ operator + held + strength * (contact.T @ contact)
    solver = splu(matrix.tocsc())
    out = np.empty((len(deltas), num, 3))
    for shape, moved in enumerate(deltas):
        reporter.progress("transferring shapes", shape, len(deltas))
        change = middles.of(gradients(source, moved))
        # Only what the change does within the triangle's plane is a gradient of displacements on it.
        wanted = np.einsum("fxy,fyz->fzx", change, along).reshape(-1, 3)
        rhs = operator.T @ (weights @ wanted) + held @ places.of(moved)
        if pairs:
            apart = np.concatenate([touch.apart[shape] for touch in touching])
            rhs = rhs + strength * (contact.T @ apart)
        out[shape] = solver.solve(np.asarray(rhs))
    return out


def _frames(mesh: SurfaceMesh) -> Float[np.ndarray, "faces 3 3"]:
    """Return two edges and a normal of each triangle as columns; the normal grows with the edges' length."""
    corners = mesh.vertices[mesh.faces]
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = mesh.face_normals * np.sqrt(2 * mesh.areas)[:, None]
    return np.stack([one, other, normal], axis=-1)


def _operator(
    mesh: SurfaceMesh,
) -> tuple[csr_matrix, Float[np.ndarray, "faces 3 3"], Float[np.ndarray, "faces"]]:
    """Return the matrix from values of vertices to gradients on triangles, three rows each; the projections
    onto the triangles' planes; and the triangles' areas over their mean, 0 for slivers.
    """
    corners, normals = mesh.vertices[mesh.faces], mesh.face_normals
    areas = mesh.areas / mesh.areas.mean()
    areas = np.where(areas > _SLIVER, areas, 0.0)
    doubled = np.where(areas > 0, 2 * mesh.areas, np.inf)
    num = len(mesh.faces)
    rows, columns, values = [], [], []
    for corner in range(3):
        across = corners[:, (corner + 2) % 3] - corners[:, (corner + 1) % 3]
        rows.append(np.arange(3 * num).reshape(num, 3))
        columns.append(np.repeat(mesh.faces[:, corner, None], 3, axis=1))
        values.append(np.cross(normals, across) / doubled[:, None])
    flat = [np.concatenate(part).ravel() for part in (values, rows, columns)]
    operator = csr_matrix((flat[0], (flat[1], flat[2])), shape=(3 * num, len(mesh.vertices)))
    return operator, np.eye(3) - normals[:, :, None] * normals[:, None, :], areas
