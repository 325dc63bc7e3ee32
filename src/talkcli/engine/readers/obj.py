"""Reader of Wavefront OBJ files: vertices and faces; materials, texture and normals are passed over.

Nothing that a file names is opened. Axis names: `verts`, `faces`.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.readers.polygons import MOST_CORNERS, MOST_FACES, MOST_VERTS, mesh_of_polygons
from talkcli.engine.readers.text import read_text
from talkcli.engine.types import Mesh


def read_obj(path: Path) -> Mesh:
    """Return the mesh of `path` in the order of its vertices.

    Raises InputError for a file that is not text, is larger than 64 MiB, or holds no mesh.
    """
    vertices: list[list[float]] = []
    polygons: list[list[int]] = []
    for number, line in enumerate(io.StringIO(read_text(path)), start=1):
        # More words than the widest polygon has are read for the error that they make.
        kind, *words = line.split(maxsplit=MOST_CORNERS + 2) or [""]
        try:
            if kind == "v":
                x, y, z, *_ = words
                vertices.append([float(x), float(y), float(z)])
            elif kind == "f":
                polygons.append([_corner(word, len(vertices)) for word in words])
        except ValueError as error:
            raise InputError(f"{path}, line {number} is no {_KINDS[kind]}: {line.strip()[:60]!r}.") from error
        if len(vertices) > MOST_VERTS or len(polygons) > MOST_FACES:
            raise InputError(f"{path} holds more than any head has ({MOST_VERTS} vertices).")
    return mesh_of_polygons(path, np.array(vertices, np.float64).reshape(-1, 3), polygons)


_KINDS = {"v": "vertex", "f": "face"}


def _corner(word: str, num_verts: int) -> int:
    """Return the index of a corner such as 7, 7/1, 7//3 or -1, which is the newest vertex."""
    index = int(word.split("/", 1)[0])
    if index == 0:
        raise ValueError("vertices are counted from 1")
    return index - 1 if index > 0 else num_verts + index
