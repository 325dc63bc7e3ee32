"""A piece of the head that is no skin: its own vertices, faces, colours and material.

Axis names: `verts`, `faces`. Millimetres; colours are linear RGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Piece:
    """`material` is a part name of the head."""

    material: str
    vertices: Float[np.ndarray, "verts 3"]
    faces: Int[np.ndarray, "faces 3"]
    colours: Float[np.ndarray, "verts 3"]

    def mirrored(self) -> Piece:
        """Return the same on the other side."""
        return Piece(
            self.material, self.vertices * np.array([-1.0, 1.0, 1.0]), self.faces[:, ::-1], self.colours
        )


def grid_faces(rows: int, columns: int, closed: bool = False) -> Int[np.ndarray, "faces 3"]:
    """Return triangles of a grid stored row by row, outside where (row direction) x (column direction)
    points.
    """
    ids = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        ids = np.concatenate([ids, ids[:, :1]], 1)
    a, b, c, d = ids[:-1, :-1], ids[1:, :-1], ids[1:, 1:], ids[:-1, 1:]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])


def even(colour: tuple[float, float, float], count: int) -> Float[np.ndarray, "verts 3"]:
    """`count` times the same colour."""
    return np.tile(np.array(colour), (count, 1))
