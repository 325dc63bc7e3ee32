"""Export to a folder of meshes, one file per frame: Wavefront OBJ or binary PLY, in metres, y up.

All files of a folder have the same vertices and triangles in the same order.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import unknown_triangles
from talkcli.engine.render.frames import check_folder, write_sequence
from talkcli.engine.render.shot import Shot

# Frames whose vertices are computed at a time.
_BLOCK = 32
Encode = Callable[[Float[np.ndarray, "verts 3"], Int[np.ndarray, "faces 3"]], bytes]


def check(out: Path, shot: Shot, overwrite: bool) -> None:  # noqa: ARG001  nothing is drawn
    """Raise UsageError when the folder `out` is not empty, unless `overwrite` lets its files be replaced."""
    check_folder(out, overwrite=overwrite)


def write_obj(out: Path, piece: Piece) -> None:
    """Write OBJ files into the folder `out`. Raises AssetError when nobody knows the triangles."""
    _write(out, piece, ".obj", _obj)


def write_ply(out: Path, piece: Piece) -> None:
    """Write PLY files into the folder `out`. Raises AssetError when nobody knows the triangles."""
    _write(out, piece, ".ply", _ply)


def vertices_of(surface: Surface) -> Iterator[Float[np.ndarray, "verts 3"]]:
    """Yield the vertices of every frame."""
    for start in range(0, surface.num_frames, _BLOCK):
        yield from surface.vertices(slice(start, start + _BLOCK))


def _write(out: Path, piece: Piece, suffix: str, encode: Encode) -> None:
    surface = piece.surface()
    faces = surface.topology.faces
    if not len(faces):
        raise unknown_triangles(surface.topology.name)
    encoded = (partial(_save, encode(vertices, faces)) for vertices in vertices_of(surface))
    write_sequence(
        out,
        suffix,
        encoded,
        num_frames=surface.num_frames,
        overwrite=piece.overwrite,
        reporter=piece.reporter,
    )


def _save(data: bytes, path: Path) -> None:
    path.write_bytes(data)


def _obj(vertices: Float[np.ndarray, "verts 3"], faces: Int[np.ndarray, "faces 3"]) -> bytes:
    text = io.BytesIO()
    np.savetxt(text, vertices, fmt="v %.7f %.7f %.7f")
    # OBJ counts from 1.
    np.savetxt(text, faces + 1, fmt="f %d %d %d")
    return text.getvalue()


def _ply(vertices: Float[np.ndarray, "verts 3"], faces: Int[np.ndarray, "faces 3"]) -> bytes:
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(vertices)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    polygons = np.zeros(len(faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    polygons["count"], polygons["corners"] = 3, faces
    return header.encode() + vertices.astype("<f4").tobytes() + polygons.tobytes()
