"""Avatars whose meshes are quantised or compressed by Draco: where they were, and errors in words."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.errors import ExtraError, InputError
from talkcli.engine.face.avatar.read import read_avatar
from talkcli.engine.face.channels import ADA
from tests.engine.face.avatar.samples import ARKIT_FEW, Glb, array, face, grid

_PICTURE = np.full((8, 8, 4), 255, np.uint8)


def _quantised(glb: Glb) -> None:
    """Store positions and shapes as int16 (KHR_mesh_quantization), and scale them by the bind matrices."""
    content, binary = glb.json, glb.binary
    primitive = content["meshes"][0]["primitives"][0]
    points = array(content, binary, primitive["attributes"]["POSITION"])
    centre, scale = points.mean(axis=0), 0.15
    shrunk = np.rint((points - centre) / scale * 32767).astype("<i2")
    padded = np.pad(shrunk, ((0, 0), (0, 1)))
    accessor = {"componentType": 5122, "count": len(points), "type": "VEC3", "normalized": True}
    stored = glb.add("accessors", {"bufferView": glb.view(padded.tobytes(), byteStride=8), **accessor})
    primitive["attributes"]["POSITION"] = stored
    for target in primitive["targets"]:
        steps = np.rint(array(content, binary, target["POSITION"]) / scale * 32767).astype("<i2")
        padded = np.pad(steps, ((0, 0), (0, 1)))
        target["POSITION"] = glb.add(
            "accessors", {"bufferView": glb.view(padded.tobytes(), byteStride=8), **accessor}
        )
    skin = content["skins"][0]
    binds = array(content, binary, skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
    grown = np.diag([scale, scale, scale, 1.0])
    grown[:3, 3] = centre
    stored = (binds @ grown).swapaxes(1, 2).astype(np.float32)
    skin["inverseBindMatrices"] = glb.accessor(np.ascontiguousarray(stored), "MAT4", 5126)


def test_quantised_meshes_are_where_they_were(tmp_path: Path) -> None:
    coeffs = np.random.default_rng(2).uniform(0, 0.5, (3, len(ADA))).astype(np.float32)
    pose = np.full((3, 3), 0.2, np.float32)
    plain = read_avatar(face(ARKIT_FEW).write(tmp_path / "a.glb")).posed(coeffs, pose)
    glb = face(ARKIT_FEW)
    _quantised(glb)
    packed = read_avatar(glb.write(tmp_path / "b.glb")).posed(coeffs, pose)
    # Half a step of int16 in the position and in each of two shapes.
    np.testing.assert_allclose(packed, plain, atol=3e-5)


def _draco_or_skip() -> Any:
    return pytest.importorskip("DracoPy")


def _draco(glb: Glb) -> None:
    draco = _draco_or_skip()
    content = glb.json
    primitive = content["meshes"][0]["primitives"][0]
    points, faces, uv = grid()
    data = draco.encode(
        points, faces.astype(np.uint32), quantization_bits=16, tex_coord=uv.astype(float), preserve_order=True
    )
    mesh = draco.decode(data)
    # Draco doubles vertices of faces that it keeps in order; shapes are stored for those that it made.
    order = [int(np.argmin(np.abs(points - point).sum(axis=1))) for point in mesh.points]
    numbers = {attribute["attribute_type"]: attribute["unique_id"] for attribute in mesh.attributes}
    primitive["extensions"] = {
        "KHR_draco_mesh_compression": {
            "bufferView": glb.view(data),
            "attributes": {"POSITION": numbers[0], "TEXCOORD_0": numbers[3]},
        }
    }
    for target in primitive["targets"]:
        steps = array(content, glb.binary, target["POSITION"])[order]
        target["POSITION"] = glb.accessor(np.ascontiguousarray(steps), "VEC3", 5126)
    # What is not compressed, in the same order.
    for name, code in (("JOINTS_0", 5121), ("WEIGHTS_0", 5126)):
        if name in primitive["attributes"]:
            values = array(content, glb.binary, primitive["attributes"][name])[order]
            primitive["attributes"][name] = glb.accessor(np.ascontiguousarray(values), "VEC4", code)


def test_draco_meshes_are_where_they_were(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW, skinned=False, picture=_PICTURE)
    _draco(glb)
    head = read_avatar(glb.write(tmp_path / "a.glb"))
    plain = read_avatar(face(ARKIT_FEW, skinned=False).write(tmp_path / "b.glb"))
    assert len(head.mesh.faces) == 32
    corners, others = (h.mesh.vertices({}, {}, 1)[0][h.mesh.faces].mean(axis=1) for h in (head, plain))
    order, other = np.lexsort(np.rint(corners * 1e4).T), np.lexsort(np.rint(others * 1e4).T)
    np.testing.assert_allclose(corners[order], others[other], atol=2e-5)


def test_plain_attributes_of_draco_meshes_are_read(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW, picture=_PICTURE)
    _draco(glb)
    head = read_avatar(glb.write(tmp_path / "a.glb"))
    plain = read_avatar(face(ARKIT_FEW).write(tmp_path / "b.glb"))
    shares, others = head.mesh.shares(), plain.mesh.shares()
    assert shares.keys() == others.keys() and len(shares) == 4
    order = [
        int(np.argmin(np.abs(plain.mesh.vertices({}, {}, 1)[0] - point).sum(axis=1)))
        for point in head.mesh.vertices({}, {}, 1)[0]
    ]
    for bone, share in shares.items():
        np.testing.assert_allclose(share, others[bone][order], atol=1e-6)


def test_damaged_draco_is_an_error_in_words(tmp_path: Path) -> None:
    _draco_or_skip()
    glb = face(ARKIT_FEW, skinned=False)
    _draco(glb)
    stated = glb.json["meshes"][0]["primitives"][0]["extensions"]["KHR_draco_mesh_compression"]
    stated["bufferView"] = glb.view(b"DRACO\x02\x02\x01\x01\x00\x00" + bytes(50))
    with pytest.raises(InputError, match="damaged Draco mesh"):
        read_avatar(glb.write(tmp_path / "a.glb"))


def test_draco_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    glb = face(ARKIT_FEW, skinned=False)
    primitive = glb.json["meshes"][0]["primitives"][0]
    primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}}
    with contextlib.suppress(KeyError):
        monkeypatch.delitem(__import__("sys").modules, "DracoPy")
    monkeypatch.setitem(__import__("sys").modules, "DracoPy", None)
    with pytest.raises(ExtraError, match="DracoPy"):
        read_avatar(glb.write(tmp_path / "a.glb"))
