"""What is drawn of an avatar: pictures as colours of cut triangles, transparency, sides."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.errors import DeviceError, ExtraError
from talkcli.engine.exports.drawing import drawn
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.avatar.head import AvatarHead
from talkcli.engine.face.avatar.materials import Paint
from talkcli.engine.face.avatar.read import inspect_avatar, read_avatar
from talkcli.engine.face.channels import ADA
from talkcli.engine.optional import is_installed
from talkcli.engine.render.shot import shot_of
from talkcli.engine.types import Motion, Reporter, Silent
from tests.engine.face.avatar.samples import ARKIT_FEW, Glb, array, face, grid
from tests.engine.fakes import Told


def _picture(side: int = 64) -> np.ndarray:
    """Red on the left, blue on the right, and a white disc in the middle, within one cell of the grid."""
    picture = np.zeros((side, side, 4), np.uint8)
    picture[..., 3] = 255
    picture[:, : side // 2, 0] = picture[:, side // 2 :, 2] = 200
    rows, columns = np.indices((side, side))
    disc = (rows - side * 0.625) ** 2 + (columns - side * 0.375) ** 2 < (side * 0.06) ** 2
    picture[disc] = 255
    return picture


def _drawn(
    head: AvatarHead, renderer: str = "software", view: str = "front", reporter: Reporter | None = None
) -> np.ndarray:
    still = Motion(coeffs=np.zeros((1, len(ADA)), np.float32), fps=25.0, head="ada", channels=ADA)
    piece = Piece(
        motion=still,
        meta={},
        reporter=reporter or Silent(),
        topology=head,
        renderer=renderer,
        shot=shot_of(size=128, camera="bust", view=view, background="black"),
    )
    with drawn(piece) as frames:
        return next(iter(frames)).astype(int)


def _gl_or_skip() -> str:
    if not is_installed("pyrender"):
        pytest.skip("pyrender is not installed: pip install -e '.[gl]'")
    return "pyrender"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("renderer", ["software", "pyrender"])
def test_both_renderers_show_the_picture(tmp_path: Path, renderer: str) -> None:
    if renderer == "pyrender":
        _gl_or_skip()
    head = read_avatar(face(ARKIT_FEW, picture=_picture()).write(tmp_path / "a.glb"))
    try:
        seen = _drawn(head, renderer)
    except (DeviceError, ExtraError) as error:
        pytest.skip(error.problem)
    covered = np.argwhere(seen.max(axis=2) > 30)
    (top, left), (bottom, right) = covered.min(0), covered.max(0)
    across, down = right - left, bottom - top
    assert 0.5 * across < down < 2 * across

    def at(x: float, y: float) -> np.ndarray:
        return seen[round(top + y * down), round(left + x * across)]

    red, blue, white = at(0.15, 0.3), at(0.85, 0.3), at(0.375, 0.625)
    assert red[0] > 2 * red[2] and blue[2] > 2 * blue[0]
    # Smaller than a cell of the grid: its vertices alone would not show it.
    assert white.min() > 0.75 * white.max() > 60


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("renderer", ["software", "pyrender"])
def test_both_renderers_tint_the_picture(tmp_path: Path, renderer: str) -> None:
    if renderer == "pyrender":
        _gl_or_skip()
    glb = face(ARKIT_FEW, picture=np.full((8, 8, 4), 255, np.uint8))
    green = np.tile(np.array([0.0, 1.0, 0.0], np.float32), (25, 1))
    glb.json["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"] = glb.accessor(green, "VEC3", 5126)
    try:
        seen = _drawn(read_avatar(glb.write(tmp_path / "a.glb")), renderer)
    except (DeviceError, ExtraError) as error:
        pytest.skip(error.problem)
    lit = seen[seen.max(axis=2) > 60]
    assert len(lit) > 500 and (lit[:, 1] > 3 * lit[:, 0]).all()


def test_triangles_are_cut_only_where_the_picture_varies(tmp_path: Path) -> None:
    plain = np.full((8, 8, 4), 200, np.uint8)
    plain[..., 3] = 255
    counts = [
        len(read_avatar(face(ARKIT_FEW, picture=picture).write(tmp_path / "a.glb")).faces)
        for picture in (plain, _picture())
    ]
    assert counts[0] == 32
    assert 100 < counts[1] < 20_000


def test_cut_triangles_cover_what_they_were_cut_from(tmp_path: Path) -> None:
    head = read_avatar(face(ARKIT_FEW, picture=_picture()).write(tmp_path / "a.glb"))

    def area(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
        a, b, c = points[faces[:, 0]], points[faces[:, 1]], points[faces[:, 2]]
        return np.cross(b - a, c - a).sum(axis=0) / 2

    points, faces, _ = grid()
    np.testing.assert_allclose(
        area(head.template, head.faces), area(points, faces.astype(int)), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(head.drawn.of.sum(axis=1), 1.0, atol=1e-6)


def test_transparent_parts_are_not_there(tmp_path: Path) -> None:
    picture = _picture()
    picture[:, 32:, 3] = 0
    heads = [
        read_avatar(face(ARKIT_FEW, picture=picture, alpha=alpha).write(tmp_path / "a.glb"))
        for alpha in ("OPAQUE", "MASK", "BLEND")
    ]
    # The right half of the picture is the subject's left.
    assert heads[0].template[:, 0].max() == pytest.approx(0.1)
    for head in heads[1:]:
        assert head.template[:, 0].max() < 0.012
        assert head.template[:, 0].min() == pytest.approx(-0.1)
        # Nothing of the colour under the transparent half comes over the edge.
        assert not ((head.colours[:, 2] > 0.3) & (head.colours[:, 0] < 0.3)).any()


def test_the_back_of_what_has_two_sides_is_lit(tmp_path: Path) -> None:
    views = {}
    for double in (False, True):
        head = read_avatar(face(ARKIT_FEW, double=double).write(tmp_path / "a.glb"))
        assert len(head.faces) == (64 if double else 32)
        normals = np.zeros(3)
        a, b, c = (head.template[head.faces[:, k]] for k in range(3))
        normals = np.cross(b - a, c - a)
        assert (normals[:32, 2] > 0).all() and (normals[32:, 2] < 0).all()
        views[double] = len(np.unique(head.faces))
    assert views[True] == 2 * views[False]


def test_doubled_vertices_of_seams_share_their_normals(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW)
    content = glb.json
    primitive = content["meshes"][0]["primitives"][0]
    # The same face as two parts of one mesh that meet in the middle, each with its own vertices.
    faces = array(content, glb.binary, primitive["indices"]).reshape(-1, 3)
    points, _, _ = grid()
    left = points[faces].mean(axis=1)[:, 0] < 0
    content["meshes"][0]["primitives"] = [
        {**primitive, "indices": glb.accessor(np.ascontiguousarray(faces[half]).reshape(-1), "SCALAR", 5123)}
        for half in (left, ~left)
    ]
    head = read_avatar(glb.write(tmp_path / "a.glb"))
    joined = head.twins != np.arange(len(head.twins))
    assert joined.sum() == 5
    np.testing.assert_allclose(head.template[joined], head.template[head.twins[joined]], atol=1e-6)
    np.testing.assert_allclose(head.template[joined, 0], 0, atol=1e-6)


def _with_picture(data: bytes, extension: str | None = None) -> Glb:
    glb = face(ARKIT_FEW, picture=_picture(8))
    glb.json["images"] = [{"bufferView": glb.view(data)}]
    if extension:
        glb.json["textures"] = [{"extensions": {extension: {"source": 0}}}]
    return glb


def test_webp_is_drawn_and_ktx2_is_named(tmp_path: Path) -> None:
    stored = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), (0, 200, 0), np.uint8)).save(stored, format="WEBP", lossless=True)
    head = read_avatar(_with_picture(stored.getvalue(), "EXT_texture_webp").write(tmp_path / "a.glb"))
    np.testing.assert_allclose(head.colours, np.tile([[0, 0.578, 0]], (len(head.colours), 1)), atol=2e-3)
    ktx = b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(100)
    path = _with_picture(ktx, "KHR_texture_basisu").write(tmp_path / "b.glb")
    found = inspect_avatar(path)
    assert len(found["notes"]) == 1 and "gltf-transform ktxdecompress" in found["notes"][0]
    # A video warns too.
    reporter = Told()
    _drawn(read_avatar(path), reporter=reporter)
    assert reporter.warnings == found["notes"]
    head = read_avatar(_with_picture(b"\x89PNG\r\n\x1a\n" + bytes(50)).write(tmp_path / "c.glb"))
    assert head.colours.min() == 1.0
    assert "damaged" in head.paints.notes[0]


def test_pictures_repeat_and_are_linear_between_pixels() -> None:
    picture = np.zeros((1, 4, 4), np.uint8)
    picture[0, :, 0], picture[..., 3] = [0, 255, 255, 0], 255
    paint = Paint(name="", picture=picture, colour=(0.5, 1.0, 1.0, 1.0))
    uv = np.array([[0.375, 0.5], [0.25, 0.5], [1.375, -3.5], [-0.0625, 0.2]], np.float32)
    np.testing.assert_allclose(paint.sample(uv)[:, 0], [0.5, 0.25, 0.5, 0.0], atol=1e-6)


def test_coordinates_are_moved(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW, picture=_picture())
    texture = glb.json["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    texture["extensions"] = {"KHR_texture_transform": {"offset": [0.6, 0.1], "scale": [0.01, 0.01]}}
    head = read_avatar(glb.write(tmp_path / "a.glb"))
    assert head.colours[:, 2].min() > 0.5 and head.colours[:, 0].max() == 0
    # The extension may name another set of coordinates; that of the texture itself counts then no more.
    primitive = glb.json["meshes"][0]["primitives"][0]
    primitive["attributes"]["TEXCOORD_1"] = primitive["attributes"].pop("TEXCOORD_0")
    texture["extensions"]["KHR_texture_transform"]["texCoord"] = 1
    texture["extensions"]["KHR_texture_transform"] |= {"offset": [0.0, 0.0], "scale": [1.0, 1.0]}
    head = read_avatar(glb.write(tmp_path / "b.glb"))
    assert head.uv.max() == 1.0


@pytest.mark.data
@pytest.mark.parametrize("name", ["brunette-t.glb", "vroid.glb"])
def test_public_avatars_show_a_face_that_speaks(shared_data: Path, name: str) -> None:
    head = read_avatar(shared_data / "avatars" / name)
    report = inspect_avatar(shared_data / "avatars" / name)
    assert report["usable"] and report["format"] == "glTF" and not report["notes"]
    if name == "brunette-t.glb":
        assert (len(report["mapped"]), report["missing"], report["still"]) == (52, [], ["viseme_sil"])
    else:
        # Its file has these names, but their shapes are empty.
        assert {"jawOpen", "cheekPuff", "noseSneerLeft", "tongueOut"} <= set(report["still"])
        assert report["visemes"] == "oculus" and report["derived"]["jawOpen"] == "14 visemes"
        assert "cheekPuff" in report["missing"] and "eyeBlinkLeft" in report["mapped"]
    coeffs = np.zeros((2, len(ADA)), np.float32)
    coeffs[1, ADA.index("jawPitch")] = 0.3
    pose = np.array([[0, 0, 0], [0, 0.2, 0]], np.float32)
    rest, spoken = head.posed(coeffs, np.zeros((2, 3), np.float32))
    far = np.linalg.norm(spoken - rest, axis=1)
    lips, eyes = head.regions["lips"], head.regions["eyes"]
    assert far[lips].max() > 0.003 > 10 * far[eyes].max()
    # Only the head turns; what is low stays.
    turned = np.linalg.norm(head.posed(coeffs[:1], pose[1:]) - rest, axis=2)[0]
    assert (
        turned[eyes].min() > 0.01
        and turned[head.template[:, 1] < head.template[:, 1].min() + 0.03].max() < 1e-4
    )
    assert head.template[eyes, 1].mean() > head.template[lips, 1].mean() + 0.03
