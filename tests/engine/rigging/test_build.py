"""Shapes on meshes that have none, against shapes that others made for the same mesh."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from talkcli.engine.errors import InputError
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.arkit import ada_coeffs
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.rigging.build import Rigged, build_rig
from talkcli.engine.rigging.inspect import inspect
from talkcli.engine.types import Mesh, Silent

PARTS = ("skin", "lips", "mouth", "eye", "iris", "teeth", "gums", "tongue")
MOUTH_M = 0.025


class Stranger:
    """abe in centimetres, his vertices in another order, without hair: a mesh that nobody knows."""

    def __init__(self, *, without: tuple[str, ...] = ()) -> None:
        head = load_head("abe")
        assert isinstance(head, AdaHead)
        kept = [head.parts.index(name) for name in PARTS if name not in without]
        faces = head.faces[np.isin(head.part_of_face, kept)]
        used = np.random.default_rng(5).permutation(np.unique(faces))
        new = np.full(len(head.template), -1)
        new[used] = np.arange(len(used))
        self.head, self.used = head, used
        self.mesh = Mesh(vertices=100 * head.template[used], faces=new[faces])
        self.marks = new[head.landmark_vertices]

    def shape(self, name: str) -> np.ndarray:
        """What abe's own channel moves at 1, in metres."""
        base = {"jawOpen": np.ones(1)} if name == "mouthClose" else {}
        rows = np.concatenate([ada_coeffs({**base, name: np.ones(1)}, 1), ada_coeffs(base, 1)])
        with torch.inference_mode():
            moved = self.head(torch.from_numpy(rows)).numpy()
        found: np.ndarray = (moved[0] - moved[1])[self.used]
        return found


@pytest.fixture(scope="module")
def stranger() -> Stranger:
    return Stranger()


@pytest.fixture(scope="module")
def rigged(stranger: Stranger) -> Rigged:
    return build_rig(stranger.mesh, stranger.marks, "stranger.obj", add=True, reporter=Silent())


def test_the_mesh_stays_and_is_in_metres(stranger: Stranger, rigged: Rigged) -> None:
    assert rigged.unit == "cm"
    assert rigged.rig.channels == ARKIT
    np.testing.assert_allclose(rigged.rig.template, stranger.mesh.vertices / 100, atol=1e-6)
    np.testing.assert_array_equal(rigged.rig.faces, stranger.mesh.faces)
    assert not rigged.fused
    assert rigged.carried.error_mm < 0.2


def test_what_is_no_skin_is_recognised(rigged: Rigged) -> None:
    assert rigged.parts["eye"] >= 2
    assert rigged.parts["teeth"] == 28
    assert rigged.parts["gums"] >= 3
    assert rigged.added == ()


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("jawOpen", 0.2), ("mouthSmileLeft", 0.35), ("mouthPucker", 0.35), ("mouthFunnel", 0.35),
        ("eyeBlinkRight", 0.45), ("browInnerUp", 0.3), ("mouthClose", 0.35), ("jawLeft", 0.3),
    ],
)  # fmt: skip
def test_shapes_are_those_of_the_person(stranger: Stranger, rigged: Rigged, name: str, share: float) -> None:
    """Share of what moves that is wrong, by root mean squares over all parts."""
    own = stranger.shape(name)
    apart = rigged.rig.deltas[ARKIT.index(name)] - own
    assert np.sqrt((apart**2).mean()) < share * np.sqrt((own**2).mean())


def test_lips_and_lids_close(stranger: Stranger, rigged: Rigged) -> None:
    found = inspect(rigged)
    assert found.lips_mm < 0.2
    assert found.lids_mm < 0.5
    assert found.lids_at_rest_mm > 5
    assert found.moved_mm["jawOpen"] > 30
    # abe's lips touch at rest, so that his own shapes cross them by a hair too.
    own = ShapeRig(
        name="own",
        channels=ARKIT,
        template=rigged.rig.template,
        deltas=np.stack([stranger.shape(name) for name in ARKIT]),
        faces=rigged.rig.faces,
        marks=rigged.rig.landmark_vertices,
    )
    his = inspect(replace(rigged, rig=own))
    assert sum(found.crossings.values()) < 4 * sum(his.crossings.values())
    # Closed lips of the whole rig meet also where nobody asked them to: between the pairs.
    rig = rigged.rig
    assert rig.landmark_vertices is not None
    closed = rig.deltas[ARKIT.index("jawOpen")] + rig.deltas[ARKIT.index("mouthClose")]
    marks = (rig.template + closed)[rig.landmark_vertices]
    gaps = np.linalg.norm(marks[[61, 62, 63]] - marks[[67, 66, 65]], axis=1)
    assert gaps.max() < 1e-3


def test_eyes_turn_in_their_place(stranger: Stranger, rigged: Rigged) -> None:
    own = stranger.shape("eyeLookOutLeft")
    ball = np.linalg.norm(own, axis=1) > 2e-3
    assert ball.sum() > 100
    apart = rigged.rig.deltas[ARKIT.index("eyeLookOutLeft")][ball] - own[ball]
    assert np.abs(apart).max() < 1.5e-3


def test_ada_lends_what_is_missing() -> None:
    bare = Stranger(without=("eye", "iris", "teeth", "gums", "tongue"))
    rigged = build_rig(bare.mesh, bare.marks, "bare.obj", add=True, reporter=Silent())
    assert set(rigged.added) == {"eye", "iris", "teeth", "gums", "tongue"}
    num = len(bare.mesh.vertices)
    rig = rigged.rig
    assert len(rig.template) > num
    lent = rig.template[num:]
    # Everything lent lies inside of the head, behind the skin.
    assert (lent[:, 2] < bare.mesh.vertices[:, 2].max() / 100).all()
    teeth = np.unique(rig.faces[rig.part_of_face == rig.parts.index("teeth")])
    moved = np.linalg.norm(rig.deltas[ARKIT.index("jawOpen")][teeth], axis=1)
    assert (moved < 1e-4).any()
    assert (moved > 0.02).any()


def test_a_turned_mesh_and_wrong_landmarks_are_refused(stranger: Stranger) -> None:
    mesh = stranger.mesh
    turned = Mesh(vertices=mesh.vertices[:, [2, 1, 0]] * [1, 1, -1], faces=mesh.faces)
    with pytest.raises(InputError, match="turned by 90 degrees"):
        build_rig(turned, stranger.marks, "turned.obj", add=False, reporter=Silent())
    eye = np.flatnonzero(np.isin(stranger.used, np.flatnonzero(stranger.head.tables["eye_of_vertex"])))
    marks = stranger.marks.copy()
    marks[40] = eye[0]
    with pytest.raises(InputError, match="1 of 68 landmarks"):
        build_rig(mesh, marks, "astray.obj", add=False, reporter=Silent())
    narrow = stranger.marks.copy()
    narrow[54] = narrow[48]
    with pytest.raises(InputError, match="landmarks 48 and 54, are in one place"):
        build_rig(mesh, narrow, "narrow.obj", add=False, reporter=Silent())
    with pytest.raises(InputError, match="in no unit"):
        huge = Mesh(vertices=mesh.vertices * 40, faces=mesh.faces)
        build_rig(huge, stranger.marks, "huge.obj", add=False, reporter=Silent())
    with pytest.raises(InputError, match="too few"):
        few = Mesh(vertices=mesh.vertices[:100], faces=np.zeros((0, 3), np.int64))
        build_rig(few, np.arange(68), "few.obj", add=False, reporter=Silent())


def test_ict_facekit_gets_shapes_near_its_own(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Mean distance over the skin within 25 mm of the lips, in mm, beside that of no displacement."""
    folder = shared_data / "mesh"
    stored = np.load(folder / "ict_facekit_light.npz")
    marks = np.array(json.loads((folder / "ict_vertex_indices.json").read_text())["idx_to_landmark_verts"])
    quads = stored["faces"]
    # The face, the neck and the inside of the mouth and eyes: one component.
    skin = 14062
    quads = quads[quads.max(axis=1) < skin]
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    rest = stored["neutral"][:skin]
    rigged = build_rig(Mesh(vertices=rest, faces=faces), marks, "ict", add=False, reporter=Silent())
    assert rigged.unit == "cm"
    # Of the visible face, as FaceKit numbers it.
    visible = np.arange(9409)
    near = visible[cKDTree(rest[marks[48:]]).query(rest[visible])[0] < 100 * MOUTH_M]
    rows = []
    for index, name in enumerate(ARKIT):
        theirs = _ict_shape(stored, name)
        if theirs is None:
            continue
        theirs = theirs[near] / 100
        apart = np.linalg.norm(rigged.rig.deltas[index][near] - theirs, axis=1).mean() * 1000
        rows.append((name, apart, np.linalg.norm(theirs, axis=1).mean() * 1000))
    apart, still = np.mean([row[1:] for row in rows], axis=0)
    table = [f"{name:20s} {one:6.2f} {other:6.2f}" for name, one, other in [*rows, ("mean", apart, still)]]
    with capsys.disabled():
        sys.stdout.write("\n".join(["", "shape, mm from FaceKit's, mm of no displacement", *table, ""]))
    assert len(rows) == 51
    assert apart <= 1.5
    assert apart < 0.65 * still
    found = inspect(rigged)
    assert found.lips_mm < 0.2
    assert found.lids_mm < 0.2
    assert found.asymmetry_mm is not None
    assert found.asymmetry_mm < 0.1


def _ict_shape(stored: np.lib.npyio.NpzFile, name: str) -> np.ndarray | None:
    names = [str(each) for each in stored["expr_names"]]
    sided = name.replace("Left", "_L").replace("Right", "_R")
    for chosen in ([name], [sided], [f"{name}_L", f"{name}_R"]):
        if all(each in names for each in chosen):
            found: np.ndarray = sum(stored["expr_delta"][names.index(each)] for each in chosen)
            return found
    return None
