"""A plain face-like mesh with the number of vertices of a known topology, open below; and files of it.

Axis names: `verts`, `faces`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

# Rows and columns of the mesh; with the vertex on top they are FLAME's 5,023 vertices.
ROWS, COLUMNS = 54, 93


def open_mesh(rows: int = ROWS, columns: int = COLUMNS) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices in metres and triangles of an egg with a nose, which is open where a neck would be."""
    down = np.linspace(0.05, 0.8 * np.pi, rows)[:, None]
    round_it = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    # The nose: a bump in the middle of the front (z).
    nose = 1 + 0.18 * np.exp(-(((down - 0.55 * np.pi) / 0.22) ** 2) - ((round_it - 0.5 * np.pi) / 0.16) ** 2)
    x = 0.075 * np.sin(down) * np.cos(round_it) * nose
    y = 0.115 * np.cos(down) * np.ones_like(round_it)
    z = 0.095 * np.sin(down) * np.sin(round_it) * nose
    vertices = np.concatenate([[[0, 0.115, 0]], np.stack([x, y, z], axis=-1).reshape(-1, 3)])
    at = 1 + np.arange(rows * columns).reshape(rows, columns)
    beside = np.roll(at, -1, axis=1)
    lid = np.stack([np.zeros(columns, int), beside[0], at[0]], axis=1)
    upper = np.stack([at[:-1], beside[:-1], beside[1:]], axis=-1).reshape(-1, 3)
    lower = np.stack([at[:-1], beside[1:], at[1:]], axis=-1).reshape(-1, 3)
    return vertices.astype(np.float32), np.concatenate([lid, upper, lower])


def write_ply(path: Path, vertices: np.ndarray, faces: np.ndarray) -> Path:
    """Write an ASCII PLY."""
    head = (
        f"ply\nformat ascii 1.0\nelement vertex {len(vertices)}\nproperty float x\nproperty float y\n"
        f"property float z\nelement face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = [" ".join(f"{number:.9g}" for number in vertex) for vertex in vertices]
    path.write_text(head + "\n".join([*rows, *(f"3 {a} {b} {c}" for a, b, c in faces)]) + "\n")
    return path


def write_obj(path: Path, vertices: np.ndarray, faces: np.ndarray) -> Path:
    """Write an OBJ."""
    rows = ["v " + " ".join(f"{number:.9g}" for number in vertex) for vertex in vertices]
    path.write_text("\n".join([*rows, *(f"f {a} {b} {c}" for a, b, c in faces + 1)]) + "\n")
    return path
