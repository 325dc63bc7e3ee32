"""Templates: subjects of a dictionary, arrays and meshes; which file gives vertices and which triangles."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.template import NUM_VERTS, mesh_to_draw, outward, read_template, template_files
from talkcli.engine.types import Motion, Silent, VertexMotion
from tests.engine.face import flame_twin
from tests.engine.face.open_mesh import open_mesh, write_obj, write_ply
from tests.engine.fakes import Told

VERTICES, FACES = open_mesh()
SUBJECTS = {"F2": VERTICES.astype(np.float64), "M3": VERTICES * 1.1}


@pytest.fixture(autouse=True)
def _no_flame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TALK_FLAME", raising=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a template of every form."""
    (tmp_path / "templates.pkl").write_bytes(pickle.dumps(SUBJECTS, 2))
    np.save(tmp_path / "one.npy", VERTICES)
    write_ply(tmp_path / "mesh.ply", VERTICES, FACES)
    write_obj(tmp_path / "mesh.obj", VERTICES, FACES)
    write_motion(tmp_path / "moved.npz", motion_of("flame", FACES))
    write_motion(tmp_path / "bare.npz", motion_of("flame"))
    return tmp_path


def motion_of(topology: str, faces: np.ndarray | None = None) -> VertexMotion:
    moved = np.repeat(VERTICES[None], 3, axis=0)
    return VertexMotion(vertices=moved, neutral=VERTICES, fps=25.0, topology=topology, faces=faces)


def test_the_mesh_is_as_large_as_flame() -> None:
    assert len(VERTICES) == NUM_VERTS["flame"]
    assert set(np.unique(FACES)) == set(range(len(VERTICES)))


def test_a_subject_of_a_dictionary(files: Path) -> None:
    told = Told()
    first = read_template([f"{files}/templates.pkl"], "flame", told)
    assert first is not None and first.faces is None and first.topology == "flame"
    np.testing.assert_array_equal(first.vertices, VERTICES)
    assert told.noted("holds 2 subjects; F2 is taken")
    told = Told()
    other = read_template([f"{files}/templates.pkl:M3"], None, told)
    assert other is not None and told.notes == []
    np.testing.assert_allclose(other.vertices, VERTICES * 1.1, rtol=1e-6)
    with pytest.raises(UsageError, match="no subject M4") as caught:
        read_template([f"{files}/templates.pkl:M4"], None, Silent())
    assert "F2 and M3" in str(caught.value.hint) or "F2, M3" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["mesh.ply", "mesh.obj"])
def test_a_mesh_has_triangles(files: Path, name: str) -> None:
    alone = read_template([str(files / name)], None, Silent())
    assert alone is not None and alone.faces is not None
    np.testing.assert_allclose(alone.vertices, VERTICES, atol=1e-7)
    np.testing.assert_array_equal(alone.faces, FACES)
    both = read_template([str(files / name), f"{files}/templates.pkl:M3"], "flame", Silent())
    assert both is not None and both.faces is not None
    np.testing.assert_allclose(both.vertices, VERTICES * 1.1, rtol=1e-6)
    np.testing.assert_array_equal(both.faces, FACES)
    assert both.name.endswith("templates.pkl:M3")


def test_an_array_has_none(files: Path) -> None:
    read = read_template([str(files / "one.npy")], None, Silent())
    assert read is not None and read.faces is None
    np.testing.assert_array_equal(read.vertices, VERTICES)


def test_a_motion_file_gives_its_subject(files: Path) -> None:
    for name, faces in (("moved", FACES), ("bare", None)):
        read = read_template([f"{files}/{name}.npz"], "flame", Silent())
        assert read is not None
        np.testing.assert_array_equal(read.vertices, VERTICES)
        assert (read.faces is None) if faces is None else np.array_equal(read.faces, faces)
    coeffs = Motion(coeffs=np.zeros((2, len(ADA)), np.float32), fps=25.0, head="ada", channels=ADA)
    write_motion(files / "coeffs.npz", coeffs)
    with pytest.raises(InputError, match="holds coefficients, a motion of vertices is needed"):
        read_template([f"{files}/coeffs.npz"], None, Silent())


def test_what_has_no_depth_is_no_face(files: Path) -> None:
    line = np.linspace([0, 0, 0], [0.1, 0.2, 0.3], 50).astype(np.float32)
    slanted = (VERTICES @ np.array([[1, 0, 0.5], [0, 1, -0.3], [0, 0, 0]], np.float32)).astype(np.float32)
    for flat in (np.zeros_like(VERTICES), VERTICES * [1, 1, 0], slanted, line, VERTICES[:2]):
        np.save(files / "flat.npy", flat.astype(np.float32))
        with pytest.raises(InputError, match="holds no face: all its vertices lie in one plane or one point"):
            read_template([f"{files}/flat.npy"], None, Silent())
    # A face of another unit, far from the origin, is one.
    np.save(files / "far.npy", (VERTICES * 1000 + 5000).astype(np.float32))
    assert read_template([f"{files}/far.npy"], None, Silent()) is not None


def test_the_files_of_names(files: Path) -> None:
    names = [f"{files}/templates.pkl:M3", f"{files}/mesh.ply"]
    assert template_files(names) == [files / "templates.pkl", files / "mesh.ply"]


def test_triangles_face_outwards(files: Path) -> None:
    np.testing.assert_array_equal(outward(VERTICES, FACES), FACES)
    np.testing.assert_array_equal(outward(VERTICES, FACES[:, ::-1]), FACES)
    turned = write_ply(files / "turned.ply", VERTICES, FACES[:, ::-1])
    read = read_template([str(turned)], None, Silent())
    assert read is not None
    np.testing.assert_array_equal(read.faces, FACES)


def test_names_that_do_not_fit(files: Path) -> None:
    assert read_template([], None, Silent()) is None
    for names, topology, said in (
        ([], "flame", "none is given"),
        ([], "ict", "`topology=ict` is none of flame, biwi"),
        (["mesh.ply", "mesh.obj"], None, "takes one file, or a mesh and"),
        (["one.npy", "templates.pkl"], None, "takes one file, or a mesh and"),
        (["mesh.ply:F2"], None, "holds one face only"),
        (["mesh.stl"], None, "is no file of a template"),
    ):
        with pytest.raises(UsageError, match=said):
            read_template([f"{files}/{name}" for name in names], topology, Silent())


def test_files_that_do_not_fit(files: Path) -> None:
    (files / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    (files / "model.pkl").write_bytes(pickle.dumps({"f": "text"}))
    np.save(files / "flat.npy", np.zeros((4, 5), np.float32))
    write_ply(files / "small.ply", *open_mesh(8, 6))
    write_ply(files / "large.ply", VERTICES * 1000, FACES)
    for names, topology, said in (
        (["absent.ply"], None, "no file"),
        (["list.pkl"], None, "a dictionary of subjects is needed"),
        (["model.pkl"], None, "something other than the vertices of f"),
        (["flat.npy"], None, r"\(verts, 3\) is needed"),
        (["mesh.ply"], "biwi", "has 5023 vertices, the topology biwi has 23370"),
        (["large.ply"], "flame", "0.1 to 0.6 m are expected"),
        (["small.ply", "one.npy"], None, "has 49 vertices, but"),
    ):
        with pytest.raises(InputError, match=said):
            read_template([f"{files}/{name}" for name in names], topology, Silent())


def test_where_triangles_come_from(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = read_template([str(files / "mesh.ply")], None, Silent())
    bare = read_template([str(files / "templates.pkl")], None, Silent())
    # The template's; else the file's.
    np.testing.assert_array_equal(mesh_to_draw(motion_of("flame"), None, mesh).faces, FACES)
    np.testing.assert_array_equal(mesh_to_draw(motion_of("flame", FACES[:9]), None, bare).faces, FACES[:9])
    for topology, template, file in (("flame", bare, "FLAME_sample.ply"), ("flame", None, "TALK_FLAME")):
        with pytest.raises(AssetError, match=f"triangles of the topology {topology} are unknown") as caught:
            mesh_to_draw(motion_of(topology), None, template)
        assert file in str(caught.value.hint)
    # The user's own FLAME goes before the template: a twin that is as large as the motion.
    monkeypatch.setattr(flame_twin, "NUM_VERTS", len(VERTICES))
    flame_twin.write_flame(files / "generic_model.pkl", flame_twin.flame_arrays())
    monkeypatch.setenv("TALK_FLAME", str(files))
    drawn = mesh_to_draw(motion_of("flame"), None, mesh)
    assert (drawn.name, len(drawn.faces), drawn.parts) == (
        "flame",
        flame_twin.NUM_FACES,
        ("skin", "eye", "lips"),
    )


def test_a_template_of_another_topology(files: Path) -> None:
    flame = read_template([str(files / "mesh.ply")], "flame", Silent())
    assert flame is not None
    # A name of the user's own may be said to be FLAME's numbering; BIWI's is another.
    assert mesh_to_draw(motion_of("mine"), None, flame).name == "flame"
    with pytest.raises(UsageError, match="vertices of biwi, but"):
        mesh_to_draw(motion_of("biwi"), None, flame)
    with pytest.raises(UsageError, match="The motion has 40 vertices of mine, but"):
        flame.check_fits("mine", 40)
