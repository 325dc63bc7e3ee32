"""Heads without motion as avatars: unwrapped skin, its pictures, the file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.rig.normals import vertex_normals
from talkcli.engine.exports.rig.skin_texture import skin_texture
from talkcli.engine.exports.rig.unwrap import unwrapped
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ARKIT, TONGUE
from talkcli.engine.gltf.accessors import read_accessor
from talkcli.engine.gltf.document import read_document
from talkcli.engine.pipelines.export_head import export_head
from talkcli.engine.render.look import srgb
from talkcli.engine.types import Silent
from tests.khronos import issues, missing_validator

_SIDE = 256


@pytest.fixture(scope="module")
def avatar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("avatar") / "ada.glb"
    assert export_head("ada", [path], Silent()) == {
        "command": "export",
        "outputs": [str(path)],
        "head": "ada",
    }
    return path


def test_an_avatar_has_all_targets_joints_and_a_licence(avatar: Path) -> None:
    document = read_document(avatar)
    mesh = next(mesh for mesh in document.json["meshes"] if "weights" in mesh)
    assert mesh["extras"]["targetNames"] == [*ARKIT, *TONGUE]
    assert "animations" not in document.json
    names = {node["name"] for node in document.json["nodes"]}
    assert {"head", "jaw", "leftEye", "rightEye"} <= names
    assert document.json["asset"]["extras"] == {"licence": "MIT"}
    parts = {material["name"] for material in document.json["materials"]}
    assert parts == set(AdaHead.load().parts)
    for index, image in enumerate(document.json["images"]):
        with Image.open(io.BytesIO(document.image(index))) as picture:
            assert picture.format == "JPEG" and image["mimeType"] == "image/jpeg"
            assert picture.size == (2048, 2048)


@pytest.mark.skipif(missing_validator() is not None, reason=str(missing_validator()))
def test_the_validator_of_khronos_finds_nothing_in_an_avatar(avatar: Path) -> None:
    assert issues(avatar) == []


def test_targets_of_doubled_vertices_agree(avatar: Path) -> None:
    document = read_document(avatar)
    mesh = next(mesh for mesh in document.json["meshes"] if "weights" in mesh)
    head = AdaHead.load()
    skin = mesh["primitives"][0]
    places = read_accessor(document, skin["attributes"]["POSITION"])
    # The cut at the back doubles some vertices.
    assert len(places) > len(np.unique(head.faces[head.part_of_face == 0]))
    for name in ("jawOpen", "browInnerUp"):
        steps = read_accessor(
            document, skin["targets"][mesh["extras"]["targetNames"].index(name)]["POSITION"]
        )
        assert np.abs(steps).max() > 1e-3
        assert len(np.unique(np.concatenate([places, steps], 1), axis=0)) == len(np.unique(places, axis=0))


def test_the_cut_is_no_edge() -> None:
    head = AdaHead.load()
    faces = head.faces[head.part_of_face == 0]
    mesh = unwrapped(head.template, vertex_normals(head.template.astype(float), head.faces), faces)
    np.testing.assert_array_equal(mesh.rows[mesh.faces], faces)
    # But for those round the crown, where the axis goes through.
    assert (np.ptp(mesh.uv[mesh.faces][..., 0], axis=1) > 0.5).sum() <= 2
    assert mesh.uv.min() >= -1e-6 and mesh.uv[:, 1].max() <= 1 + 1e-6 and 1 < mesh.uv[:, 0].max() < 1.5
    # The nose is in the middle, the subject's left ear right of it, and what is above is above.
    nose, ear = head.landmark_vertices[[30, 16]]
    place = {int(row): uv for row, uv in zip(mesh.rows, mesh.uv, strict=True)}
    assert place[nose][0] == pytest.approx(0.5, abs=0.01)
    assert 0.7 < place[ear][0] < 0.8
    assert place[head.landmark_vertices[27]][1] < place[nose][1] < place[head.landmark_vertices[8]][1]
    np.testing.assert_allclose(np.linalg.norm(mesh.tangents[:, :3], axis=1), 1, atol=1e-5)
    # On the nose the picture goes to the right as the subject's left does, and is not mirrored.
    tangent = mesh.tangents[list(mesh.rows).index(nose)]
    assert tangent[0] > 0.9 and tangent[3] == 1


def test_pictures_have_the_colours_of_the_skin() -> None:
    head = AdaHead.load()
    normals = vertex_normals(head.template.astype(float), head.faces)
    mesh = unwrapped(head.template, normals, head.faces[head.part_of_face == 0])
    texture = skin_texture(head, normals, mesh, _SIDE)
    colour, bumps = (np.asarray(Image.open(io.BytesIO(data)), float) / 255 for data in texture)
    for mark in (30, 8):
        vertex = head.landmark_vertices[mark]
        u, v = mesh.uv[list(mesh.rows).index(vertex)] * _SIDE
        near = colour[int(v) - 2 : int(v) + 2, int(u) - 2 : int(u) + 2].mean((0, 1))
        np.testing.assert_allclose(near, srgb(head.colours[vertex]), atol=0.06)
    # Slopes of skin are small, lead in all directions alike, and are not nothing.
    slopes = bumps[64:192, 64:192] * 2 - 1
    assert np.abs(slopes[..., :2].mean((0, 1))).max() < 0.02
    assert 0.01 < slopes[..., :2].std() < 0.2
    assert slopes[..., 2].min() > 0.8


def test_what_needs_motion_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs motion"):
        export_head("ada", [tmp_path / "a.glb", tmp_path / "a.csv"], Silent())
    with pytest.raises(UsageError, match="neither a motion file nor a head"):
        export_head(None, [tmp_path / "a.glb"], Silent())
    assert not list(tmp_path.iterdir())
