"""Export to point caches: the vertices of every frame in one file, for the mesh cache modifiers of 3D
programs.

A cache holds no triangles: it moves a mesh with the same vertices in the same order, such as a frame of
`.obj` or `.ply`. Metres, y up. PC2 (little-endian): `POINTCACHE2` and a zero, int32 version (1), int32
vertices, float32 first frame (0), float32 frames per sample (1), int32 samples, then float32 x, y, z. It
knows frames, and no seconds. MDD (big-endian): int32 samples, int32 vertices, float32 times in seconds, then
float32 x, y, z.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from talkcli.engine.exports.meshes import vertices_of
from talkcli.engine.exports.piece import Piece
from talkcli.engine.files import atomic_path


def write_pc2(out: Path, piece: Piece) -> None:
    """Write the vertices of the piece to the PC2 file `out`."""
    verts = len(piece.surface().topology.template)
    header = struct.pack("<12siiffi", b"POINTCACHE2\0", 1, verts, 0.0, 1.0, piece.motion.num_frames)
    _write(out, piece, header, "<f4")


def write_mdd(out: Path, piece: Piece) -> None:
    """Write the vertices of the piece to the MDD file `out`."""
    frames = piece.motion.num_frames
    times_s = (np.arange(frames) / piece.motion.fps).astype(">f4")
    header = struct.pack(">ii", frames, len(piece.surface().topology.template)) + times_s.tobytes()
    _write(out, piece, header, ">f4")


def _write(out: Path, piece: Piece, header: bytes, number: str) -> None:
    surface = piece.surface()
    with atomic_path(out) as temporary, temporary.open("wb") as file:
        file.write(header)
        for done, vertices in enumerate(vertices_of(surface), start=1):
            file.write(vertices.astype(number).tobytes())
            piece.reporter.progress("vertices", done, surface.num_frames)
