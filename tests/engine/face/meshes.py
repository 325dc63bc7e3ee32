"""Meshes for tests: the icosphere and the grid of the published spirals, and one like FLAME's."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

Mesh = tuple[np.ndarray, np.ndarray]

_PHI = (1 + 5**0.5) / 2
_CORNERS = [
    (-1, _PHI, 0), (1, _PHI, 0), (-1, -_PHI, 0), (1, -_PHI, 0), (0, -1, _PHI), (0, 1, _PHI),
    (0, -1, -_PHI), (0, 1, -_PHI), (_PHI, 0, -1), (_PHI, 0, 1), (-_PHI, 0, -1), (-_PHI, 0, 1),
]  # fmt: skip
_SIDES = [
    (0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4), (11, 10, 2),
    (10, 7, 6), (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9), (4, 9, 5), (2, 4, 11),
    (6, 2, 10), (8, 6, 7), (9, 8, 1),
]  # fmt: skip


def icosphere(subdivisions: int) -> Mesh:
    """Faces and vertices of a sphere of radius 1."""
    points = [np.array(corner) / np.linalg.norm(corner) for corner in _CORNERS]
    faces = list(_SIDES)
    for _ in range(subdivisions):
        middles: dict[tuple[int, int], int] = {}
        smaller = []
        for face in faces:
            ends = [(min(pair), max(pair)) for pair in pairwise((*face, face[0]))]
            for end in ends:
                if end not in middles:
                    middle = points[end[0]] + points[end[1]]
                    middles[end] = len(points)
                    points.append(middle / np.linalg.norm(middle))
            x, y, z = (middles[end] for end in ends)
            a, b, c = face
            smaller += [(a, x, z), (b, y, x), (c, z, y), (x, y, z)]
        faces = smaller
    return np.array(faces), np.array(points)


def grid(rows: int, columns: int) -> Mesh:
    """Faces and vertices of a flat grid."""
    points = [(i, j, 0.0) for i in range(rows) for j in range(columns)]
    faces = []
    for i in range(rows - 1):
        for j in range(columns - 1):
            a = i * columns + j
            faces += [(a, a + 1, a + columns + 1), (a, a + columns + 1, a + columns)]
    return np.array(faces), np.array(points, dtype=float)


def like_flame() -> Mesh:
    """An open surface with two spheres as eyeballs, which are parts of their own."""
    faces, points = grid(20, 20)
    eye_faces, eye = icosphere(1)
    for centre in ((5.0, 5.0, 1.0), (5.0, 14.0, 1.0)):
        faces = np.concatenate([faces, eye_faces + len(points)])
        points = np.concatenate([points, eye + centre])
    return faces, points
