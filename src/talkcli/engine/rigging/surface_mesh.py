"""Triangle meshes: components, normals, ways along edges, and closest points.

Axis names: `verts`, `faces`, `points`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

# Triangles near a point, by their middles, of which one is the closest.
_CANDIDATES = 12
_BLOCK = 4096
_TINY = 1e-20


@dataclass(frozen=True, eq=False)
class SurfaceMesh:
    """Vertices in metres, and triangles."""

    vertices: Float[np.ndarray, "verts 3"]
    faces: Int[np.ndarray, "faces 3"]

    @cached_property
    def face_normals(self) -> Float[np.ndarray, "faces 3"]:
        """Normals of length 1; of length 0 for triangles without area."""
        return _unit(self._crosses)

    @cached_property
    def areas(self) -> Float[np.ndarray, "faces"]:
        return np.linalg.norm(self._crosses, axis=1) / 2

    @cached_property
    def normals(self) -> Float[np.ndarray, "verts 3"]:
        """Normals of vertices, weighted by area."""
        out = np.zeros_like(self.vertices)
        for corner in range(3):
            np.add.at(out, self.faces[:, corner], self._crosses)
        return _unit(out)

    @cached_property
    def edges(self) -> csr_matrix:
        """Lengths of edges, both ways."""
        pairs = self.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        pairs = np.unique(np.sort(pairs, axis=1), axis=0)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        lengths = np.linalg.norm(self.vertices[pairs[:, 0]] - self.vertices[pairs[:, 1]], axis=1)
        # An edge of length 0 is an edge.
        lengths = np.maximum(lengths, 1e-9)
        num = len(self.vertices)
        half = coo_matrix((lengths, pairs.T), shape=(num, num))
        return (half + half.T).tocsr()

    @cached_property
    def components(self) -> Int[np.ndarray, "verts"]:
        """Number of the component of every vertex; vertices without triangles are alone."""
        found: np.ndarray = connected_components(self.edges, directed=False)[1]
        return found

    @cached_property
    def rim(self) -> Bool[np.ndarray, "verts"]:
        """Whether each vertex has an edge with one triangle only."""
        pairs = np.sort(self.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        edges, counts = np.unique(pairs, axis=0, return_counts=True)
        found = np.zeros(len(self.vertices), bool)
        found[edges[counts == 1]] = True
        return found

    def along_edges(
        self, starts: Int[np.ndarray, "points"], farthest_m: float = np.inf
    ) -> Float[np.ndarray, "verts"]:
        """Return the length of the shortest way along edges from any of `starts`; infinite beyond."""
        found: np.ndarray = dijkstra(self.edges, indices=starts, min_only=True, limit=farthest_m)
        return found

    def path(self, start: int, end: int) -> Int[np.ndarray, "points"]:
        """Return the vertices of the shortest way along edges; the two ends where there is none."""
        _, befores = dijkstra(self.edges, indices=np.array([start]), return_predecessors=True)
        before = befores[0]
        way = [end]
        while way[-1] != start:
            if before[way[-1]] < 0:
                return np.array([start, end])
            way.append(int(before[way[-1]]))
        return np.array(way[::-1])

    def part(self, faces: Bool[np.ndarray, "faces"]) -> SurfaceMesh:
        """Return the mesh of some faces, with the same vertices."""
        return SurfaceMesh(self.vertices, self.faces[faces])

    def moved(self, vertices: Float[np.ndarray, "verts 3"]) -> SurfaceMesh:
        """Return the mesh with other places."""
        return SurfaceMesh(vertices, self.faces)

    @cached_property
    def _crosses(self) -> Float[np.ndarray, "faces 3"]:
        corners = self.vertices[self.faces]
        found: np.ndarray = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return found


@dataclass(frozen=True)
class Places:
    """Points on a mesh: triangles, and weights of their corners."""

    faces: Int[np.ndarray, "points"]
    corners: Int[np.ndarray, "points 3"]
    weights: Float[np.ndarray, "points 3"]
    distances: Float[np.ndarray, "points"]

    def of(self, values: Float[np.ndarray, "verts ..."]) -> Float[np.ndarray, "points ..."]:
        """Return values of the mesh's vertices at the points."""
        return np.einsum("pc,pc...->p...", self.weights, values[self.corners])

    def rows(self, num_verts: int) -> csr_matrix:
        """Return the matrix that takes values of vertices to the points."""
        points = np.repeat(np.arange(len(self.faces)), 3)
        shape = (len(self.faces), num_verts)
        return coo_matrix((self.weights.ravel(), (points, self.corners.ravel())), shape=shape).tocsr()


class Closest:
    """Finds the closest points of a mesh."""

    def __init__(self, mesh: SurfaceMesh) -> None:
        self._mesh = mesh
        self._tree = cKDTree(mesh.vertices[mesh.faces].mean(axis=1))

    def __call__(
        self, points: Float[np.ndarray, "points 3"], normals: Float[np.ndarray, "points 3"] | None = None
    ) -> Places:
        """Return the closest place to each point; with `normals`, the closest that faces the same way, where
        one is near.
        """
        parts = [
            self._block(
                points[start : start + _BLOCK], None if normals is None else normals[start : start + _BLOCK]
            )
            for start in range(0, len(points), _BLOCK)
        ]
        return Places(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _block(
        self, points: Float[np.ndarray, "points 3"], normals: Float[np.ndarray, "points 3"] | None
    ) -> tuple[np.ndarray, ...]:
        mesh = self._mesh
        near = self._tree.query(points, k=min(_CANDIDATES, len(mesh.faces)))[1].reshape(len(points), -1)
        corners = mesh.vertices[mesh.faces[near]]
        weights = _in_triangles(points, corners)
        found = np.einsum("pkc,pkcx->pkx", weights, corners)
        distances = np.linalg.norm(found - points[:, None], axis=-1)
        ranked = distances
        if normals is not None:
            # A triangle that faces away counts as if it were farther.
            facing = np.einsum("pkx,px->pk", mesh.face_normals[near], normals)
            ranked = distances + 0.02 * (facing < 0.2) + 0.05 * (facing < -0.2)
        best = ranked.argmin(axis=1)
        rows = np.arange(len(points))
        faces = near[rows, best]
        return faces, mesh.faces[faces], weights[rows, best], distances[rows, best]


def _in_triangles(
    points: Float[np.ndarray, "points 3"], corners: Float[np.ndarray, "points near 3 3"]
) -> Float[np.ndarray, "points near 3"]:
    """Return the barycentric weights of the closest points of the triangles near each point."""
    points = points[:, None]
    first, second, third = (corners[..., corner, :] for corner in range(3))
    one, other, way = second - first, third - first, points - first
    a, b, c = (one * one).sum(-1), (one * other).sum(-1), (other * other).sum(-1)
    d, e = (way * one).sum(-1), (way * other).sum(-1)
    size = np.maximum(a * c - b * b, _TINY)
    v, w = (c * d - b * e) / size, (a * e - b * d) / size
    inside = (v >= 0) & (w >= 0) & (v + w <= 1)
    best = np.stack([1 - v - w, v, w], axis=-1)
    nearest = np.where(inside, 0.0, np.inf)
    for start, end in ((0, 1), (1, 2), (2, 0)):
        begin, along = corners[..., start, :], corners[..., end, :] - corners[..., start, :]
        share = ((points - begin) * along).sum(-1) / np.maximum((along * along).sum(-1), _TINY)
        share = share.clip(0.0, 1.0)
        distance = np.linalg.norm(begin + share[..., None] * along - points, axis=-1)
        weights = np.zeros_like(best)
        weights[..., start], weights[..., end] = 1 - share, share
        better = distance < nearest
        best = np.where(better[..., None], weights, best)
        nearest = np.where(better, distance, nearest)
    return best


def _unit(vectors: Float[np.ndarray, "many 3"]) -> Float[np.ndarray, "many 3"]:
    found: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=_TINY)
    return found


def welded(mesh: SurfaceMesh) -> tuple[SurfaceMesh, Int[np.ndarray, "verts"]]:
    """Return `mesh` with one vertex for those of its rims in one place that face the same way, and where each
    went.

    Files repeat vertices along seams of textures. Lips and lids that touch face apart, and stay apart; so do
    lashes that stand on skin, whose rim is on no other rim.
    """
    rim = np.flatnonzero(mesh.rim)
    step = 1e-6 * float(np.ptp(mesh.vertices, axis=0).max())
    keys = np.round(mesh.vertices[rim] / max(step, 1e-12)).astype(np.int64)
    groups = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(groups, kind="stable")
    goes = np.arange(len(mesh.vertices))
    for group in np.split(rim[order], np.flatnonzero(np.diff(groups[order])) + 1):
        for place, member in enumerate(group[1:], start=1):
            facing = mesh.normals[group[:place]] @ mesh.normals[member]
            if facing.max() > 0.0:
                goes[member] = goes[group[int(facing.argmax())]]
    kept, places = np.unique(goes, return_inverse=True)
    faces = places.ravel()[mesh.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return SurfaceMesh(mesh.vertices[kept], faces[whole]), places.ravel()
