"""Meshes and point caches hold the surface, as trimesh and the layouts' own definitions read it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import AssetError, UsageError
from talkcli.engine.exports.formats import check_output, export
from talkcli.engine.exports.piece import Piece
from talkcli.engine.readers.obj import read_obj
from talkcli.engine.readers.ply import read_ply
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import VertexMotion
from tests.engine.exports.pieces import moving


def _tetrahedron(frames: int = 5) -> Piece:
    rest = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    drawn = np.random.default_rng(0).uniform(-0.1, 0.1, (frames, 4, 3)).astype(np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    motion = VertexMotion(vertices=rest + drawn, neutral=rest, fps=29.97, topology="solid", faces=faces)
    return replace(moving(1), motion=motion)


@pytest.mark.parametrize("suffix", [".obj", ".ply"])
def test_meshes_are_read_by_trimesh_and_by_talk(suffix: str, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    piece, out = _tetrahedron(), tmp_path / f"face{suffix}"
    assert isinstance(piece.motion, VertexMotion)
    export(out, piece)
    assert [path.name for path in sorted(out.iterdir())] == [f"frame_{k:06d}{suffix}" for k in range(5)]
    read = {".obj": read_obj, ".ply": read_ply}[suffix]
    for path, vertices in zip(sorted(out.iterdir()), piece.motion.vertices, strict=True):
        mesh = trimesh.load_mesh(path, process=False)
        assert np.allclose(mesh.vertices, vertices, atol=1e-7)
        assert np.array_equal(mesh.faces, piece.motion.faces)
        assert np.allclose(read(path).vertices, vertices, atol=1e-7)


def test_a_folder_that_is_not_empty_is_kept_unless_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "face.obj"
    export(out, _tetrahedron(5))
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        check_output(out, shot=Shot())
    export(out, replace(_tetrahedron(2), overwrite=True))
    assert sorted(path.name for path in out.iterdir()) == ["frame_000000.obj", "frame_000001.obj", "mine.txt"]


def test_a_mesh_without_triangles_is_no_mesh(tmp_path: Path) -> None:
    piece = _tetrahedron()
    with pytest.raises(AssetError, match="triangles"):
        export(tmp_path / "face.ply", replace(piece, motion=replace(piece.motion, faces=None)))
    assert not list(tmp_path.iterdir())


def test_point_caches_have_their_layouts(tmp_path: Path) -> None:
    piece = _tetrahedron(40)
    assert isinstance(piece.motion, VertexMotion)
    export(tmp_path / "face.pc2", piece)
    layout = np.dtype(
        [
            ("magic", "S12"),
            ("version", "<i4"),
            ("points", "<i4"),
            ("start", "<f4"),
            ("rate", "<f4"),
            ("samples", "<i4"),
        ]
    )
    data = (tmp_path / "face.pc2").read_bytes()
    assert np.frombuffer(data, layout, 1)[0].tolist() == (b"POINTCACHE2", 1, 4, 0.0, 1.0, 40)
    assert np.array_equal(np.frombuffer(data, "<f4", offset=32).reshape(40, 4, 3), piece.motion.vertices)

    export(tmp_path / "face.mdd", piece)
    data = (tmp_path / "face.mdd").read_bytes()
    assert np.frombuffer(data, ">i4", 2).tolist() == [40, 4]
    assert np.allclose(np.frombuffer(data, ">f4", 40, 8), np.arange(40) / 29.97, atol=1e-6)
    assert np.array_equal(np.frombuffer(data, ">f4", offset=168).reshape(40, 4, 3), piece.motion.vertices)


def test_a_heads_coefficients_become_its_surface(tmp_path: Path) -> None:
    piece = moving(2)
    export(tmp_path / "face.pc2", piece)
    expected = piece.surface().vertices()
    values = np.frombuffer((tmp_path / "face.pc2").read_bytes(), "<f4", offset=32)
    assert np.array_equal(values.reshape(expected.shape), expected)
