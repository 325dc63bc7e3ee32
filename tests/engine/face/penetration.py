"""How deep parts of a head stick in each other: signed distance of vertices from closed surfaces.

Axis names: `points`, `near` (candidate triangles of a point), `faces`, `whole`, `verts`. Any unit of length.
The sign is that of the angle-weighted pseudonormal of the nearest face, edge or vertex: Baerentzen and
Aanaes, "Signed distance computation using the angle weighted pseudonormal" (2005).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

Points = Float[np.ndarray, "points 3"]
Faces = Int[np.ndarray, "faces 3"]

# Triangles whose middles are nearest to a point; the nearest triangle is nearly always among them.
_NEAR = 12
# Points farther than this from the middles of all triangles, in metres, are not looked at.
_REACH_M = 0.008


class Body:
    """Triangles whose normals point outwards. `whole` closes them, where `faces` are a part."""

    def __init__(self, faces: Faces, whole: Int[np.ndarray, "whole 3"] | None = None) -> None:
        self.faces = faces
        self.whole = faces if whole is None else whole
        sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        self.edge = np.unique(np.sort(sides, 1), axis=0, return_inverse=True)[1].reshape(3, -1).T


class PosedBody:
    """A body in one frame."""

    def __init__(self, body: Body, vertices: Float[np.ndarray, "verts 3"]) -> None:
        self._body, self._corners = body, vertices[body.faces]
        self._whole = vertices[body.whole]
        a, b, c = self._corners.swapaxes(0, 1)
        self._normal = _unit(np.cross(b - a, c - a))
        self._of_edge = np.zeros((body.edge.max() + 1, 3))
        self._of_vertex = np.zeros_like(vertices)
        for i, (p, q, r) in enumerate(((a, b, c), (b, c, a), (c, a, b))):
            np.add.at(self._of_edge, body.edge[:, i], self._normal)
            cosine = (_unit(q - p) * _unit(r - p)).sum(1).clip(-1.0, 1.0)
            np.add.at(self._of_vertex, body.faces[:, i], np.arccos(cosine)[:, None] * self._normal)
        self._middles = cKDTree((a + b + c) / 3)

    def depth(self, points: Points) -> Float[np.ndarray, "points"]:
        """Return how far each point lies inside: positive inside, negative outside, -inf far away."""
        depth = np.full(len(points), -np.inf)
        distance, near = self._middles.query(points, k=_NEAR)
        rows = np.flatnonzero(distance[:, 0] < _REACH_M)
        depth[rows] = self._signed(points[rows], near[rows])
        # Where the nearest triangle was no candidate the sign may be wrong: test again what seems inside.
        doubtful = np.flatnonzero(depth > 0)
        if len(doubtful):
            outside = winding(self._whole, points[doubtful]) < 0.5
            depth[doubtful[outside]] *= -1
        return depth

    def _signed(self, points: Points, near: Int[np.ndarray, "points near"]) -> Float[np.ndarray, "points"]:
        best, depth = np.full(len(points), np.inf), np.full(len(points), -np.inf)
        rows = np.arange(len(points))
        corners, normal, edge = self._corners[near], self._normal[near], self._body.edge[near]

        def offer(place: np.ndarray, direction: np.ndarray, valid: np.ndarray | bool) -> None:
            away = points[:, None] - place
            distance = np.where(valid, np.linalg.norm(away, axis=-1), np.inf)
            chosen = distance.argmin(1)
            shortest = distance[rows, chosen]
            inside = (away[rows, chosen] * direction[rows, chosen]).sum(1) < 0
            nearer = shortest < best - 1e-12
            best[nearer] = shortest[nearer]
            depth[nearer] = np.where(inside, shortest, -shortest)[nearer]

        foot = points[:, None] - ((points[:, None] - corners[:, :, 0]) * normal).sum(-1)[..., None] * normal
        within = np.ones(near.shape, bool)
        for i in range(3):
            start, along = corners[:, :, i], corners[:, :, (i + 1) % 3] - corners[:, :, i]
            offer(start, self._of_vertex[self._body.faces[near, i]], True)
            share = ((points[:, None] - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-30)
            offer(start + share[..., None] * along, self._of_edge[edge[:, :, i]], (share > 0) & (share < 1))
            within &= (np.cross(along, foot - start) * normal).sum(-1) >= 0
        offer(foot, normal, within)
        return depth


def winding(triangles: Float[np.ndarray, "whole 3 3"], points: Points) -> Float[np.ndarray, "points"]:
    """Return how often triangles go round each point (Van Oosterom and Strackee, 1983); a hole far away
    counts for little.
    """
    a, b, c = (triangles[None, :, i] - points[:, None] for i in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
    volume = (a * np.cross(b, c)).sum(-1)
    flat = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return np.arctan2(volume, flat).sum(1) / (2 * np.pi)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-30)


class Mouth:
    """The bodies of the mouth of a head in metres, and the pairs of them that must not meet."""

    PAIRS = (
        ("flesh", "teeth"), ("flesh", "gums"), ("tongue", "teeth"), ("tongue", "gums"), ("tongue", "flesh"),
    )  # fmt: skip

    def __init__(
        self,
        template: Float[np.ndarray, "verts 3"],
        faces: Faces,
        part: Mapping[str, Int[np.ndarray, "..."]],
    ) -> None:
        """`part` maps names of materials to rows of `faces`."""
        skin = faces[np.concatenate([part[name] for name in ("skin", "lips", "mouth")])]
        middle = template[skin].mean(1)
        flesh = skin[(middle[:, 2] > 0.03) & (np.abs(middle[:, 1] + 0.07) < 0.045)]
        self._bodies = {name: Body(faces[part[name]]) for name in ("teeth", "gums", "tongue")}
        self._bodies["flesh"] = Body(flesh, skin)
        self._points = {name: np.unique(body.faces) for name, body in self._bodies.items()}
        lining = np.unique(faces[np.concatenate([part["lips"], part["mouth"]])])
        # The tongue grows out of the throat, which nobody sees.
        for name, points in (("flesh", lining), ("tongue", self._points["tongue"])):
            self._points[name] = points[template[points, 2] > 0.05]

    def gap(
        self, vertices: Float[np.ndarray, "verts 3"], body: str, points: Int[np.ndarray, "chosen"]
    ) -> float:
        """Return how far the nearest of some vertices is from a body; negative inside it."""
        return -float(PosedBody(self._bodies[body], vertices).depth(vertices[points]).max())

    def depths(self, vertices: Float[np.ndarray, "verts 3"]) -> dict[str, float]:
        """Return how deep each pair sticks in each other, 0 where it does not."""
        posed = {name: PosedBody(body, vertices) for name, body in self._bodies.items()}
        return {
            f"{a} and {b}": max(
                0.0,
                float(posed[a].depth(vertices[self._points[b]]).max()),
                float(posed[b].depth(vertices[self._points[a]]).max()),
            )
            for a, b in self.PAIRS
        }
