"""PLY and OBJ: what usual programs write is read, and damaged or hostile files are refused in words."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.readers.obj import read_obj
from talkcli.engine.readers.ply import read_ply

POINTS = np.float32([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5]])
# A quadrangle and a triangle become three triangles.
POLYGONS = [[0, 1, 2, 3], [0, 2, 3]]
TRIANGLES = [[0, 1, 2], [0, 2, 3], [0, 2, 3]]


def header(form: str, *, verts: int = 4, faces: int = 2, colours: bool = False) -> str:
    extra = "property uchar red\nproperty uchar green\nproperty uchar blue\n" if colours else ""
    return (
        f"ply\nformat {form} 1.0\ncomment made here\nelement vertex {verts}\nproperty float x\n"
        f"property float y\nproperty float z\n{extra}element face {faces}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )


def text_ply(**options: int) -> str:
    rows = [" ".join(map(str, point)) for point in POINTS]
    faces = [" ".join(map(str, [len(corners), *corners])) for corners in POLYGONS]
    return header("ascii", **options) + "\n".join([*rows, *faces]) + "\n"


def binary_ply(order: str) -> bytes:
    form = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    rows = b"".join(struct.pack(f"{order}3f3B", *point, 10, 20, 30) for point in POINTS)
    faces = b"".join(struct.pack(f"{order}B{len(some)}i", len(some), *some) for some in POLYGONS)
    return header(form, colours=True).encode() + rows + faces


@pytest.mark.parametrize("content", [text_ply().encode(), binary_ply("<"), binary_ply(">")])
def test_ply(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ply").write_bytes(content)
    mesh = read_ply(tmp_path / "a.ply")
    np.testing.assert_array_equal(mesh.vertices, POINTS)
    np.testing.assert_array_equal(mesh.faces, TRIANGLES)


def test_a_cloud_has_no_faces(tmp_path: Path) -> None:
    text = text_ply(faces=0).rsplit("\n", 3)[0]
    (tmp_path / "a.ply").write_text(text)
    assert read_ply(tmp_path / "a.ply").faces.shape == (0, 3)


def test_obj(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(
        "# a comment\nmtllib nowhere.mtl\no face\n"
        + "".join(f"v {x} {y} {z} 0.5 0.5 0.5\n" for x, y, z in POINTS)
        + "vt 0 0\nvn 0 0 1\ns off\nf 1/1/1 2/1 3//1 4\r\nf -4 -2 -1\n"
    )
    mesh = read_obj(tmp_path / "a.obj")
    np.testing.assert_array_equal(mesh.vertices, POINTS)
    np.testing.assert_array_equal(mesh.faces, TRIANGLES)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("plys\n", "does not begin with ply"),
        ("ply\nformat ascii 1.0\nelement vertex 3\n", "header does not end"),
        ("ply\nformat xml 1.0\nend_header\n", "format is 'xml'"),
        ("ply\nelement vertex 1\nend_header\n", "names no format"),
        (text_ply(verts=1 << 30), "says that it has 1073741824"),
        (text_ply(verts=-1), "says that it has -1"),
        (text_ply(verts=1000), "ends too early"),
        (text_ply(faces=3), "ends too early"),
        (text_ply().replace("property float x", "property quaternion x"), "type 'quaternion'"),
        (text_ply().replace("list uchar", "list float"), "counted by a float"),
        (text_ply().replace("3 0 2 3", "3 0 2 4"), "vertices beyond its 4"),
        (text_ply().replace("3 0 2 3", "3 0 2 -1"), "vertices beyond its 4"),
        (text_ply().replace("3 0 2 3", "2 0 2"), "a face of 2 corners"),
        (text_ply().replace("3 0 2 3", "999 0 2"), "has 999 items"),
        (text_ply().replace("3 0 2 3", "3 0 1.9 3"), "by a fraction"),
        (text_ply().replace("3 0 2 3", "3.9 0 2 3"), "list of 'face' is counted by a fraction"),
        (text_ply().replace("3 0 2 3", "inf 0 2 3"), "list of 'face' is counted by a fraction"),
        # Each of these would be looped through in Python, and none has a byte.
        ("ply\nformat ascii 1.0\n" + "element x 400000\n" * 10 + "end_header\n", "no properties"),
        ("ply\nformat ascii 1.0\n" + "element x 0\nproperty float a\n" * 17 + "end_header\n", "more than 16"),
        (text_ply().replace("0.5", "nan"), "not finite"),
        (text_ply().replace("0.5", "far"), "no readable PLY"),
        (text_ply().replace("float x", "float u"), "holds no vertices"),
        ("ply\nformat ascii 1.0\n" + "comment\n" * 20_000 + "end_header\n", "header does not end"),
    ],
)
def test_damaged_ply(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.ply").write_text(content)
    with pytest.raises(InputError, match=said):
        read_ply(tmp_path / "a.ply")


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_cut_of_a_binary_ply_is_refused(tmp_path: Path, order: str) -> None:
    content = binary_ply(order)
    for length in range(0, len(content), 7):
        (tmp_path / "a.ply").write_bytes(content[:length])
        with pytest.raises(InputError):
            read_ply(tmp_path / "a.ply")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "0 bytes|no vertices"),
        ("f 1 2 3\n", "no vertices"),
        ("v 0 0\n", "line 1 is no vertex"),
        ("v 0 0 0\nf 1 2 3\n", "beyond its 1"),
        ("v 0 0 0\nf 0 1 1\n", "line 2 is no face"),
        ("v 0 0 0\nf 1 1\n", "2 corners"),
        ("v 0 0 inf\n", "not finite"),
        ("v 0 0 0\nf 1 1 " + "9" * 40 + "\n", "beyond any number"),
        ("v 0 0 0\nf " + "1 " * 400 + "\n", "line 2 is no face|corners"),
    ],
)
def test_damaged_obj(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.obj").write_text(content)
    with pytest.raises(InputError, match=said):
        read_obj(tmp_path / "a.obj")
