"""One surface of two forms of motion: vertices that a head computes, and vertices that are given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from talkcli.engine.errors import AssetError, UsageError
from talkcli.engine.face import surface as module
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.face.surface import Surface, surface_of, topology_of
from talkcli.engine.types import Motion, VertexMotion
from tests.engine.fakes import NUM_VERTS, LinearHead
from tests.engine.render.shapes import BallHead

HEAD = LinearHead()
COEFFS = np.random.default_rng(0).normal(size=(100, 53)).astype(np.float32)
MOTION = Motion(coeffs=COEFFS, fps=25.0, head="ada", channels=ADA)
GIVEN = VertexMotion(
    vertices=HEAD(torch.from_numpy(COEFFS)).numpy(), neutral=HEAD.template, fps=25.0, topology="mine"
)


@pytest.fixture(autouse=True)
def _heads(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> LinearHead | BallHead:
        if name == "flame":
            raise AssetError("The FLAME model is not here.")
        return BallHead() if name == "ball.npz" else HEAD

    monkeypatch.setattr(module, "load_head", load)


@pytest.mark.parametrize("motion", [MOTION, GIVEN], ids=["coefficients", "vertices"])
def test_both_forms_are_one_surface(motion: Motion | VertexMotion) -> None:
    surface = surface_of(motion)
    assert (surface.num_frames, surface.fps) == (100, 25.0)
    np.testing.assert_allclose(surface.vertices(), GIVEN.vertices, atol=1e-6)
    some = surface.vertices(slice(3, 5), torch.tensor([7, 2]))
    np.testing.assert_allclose(some, GIVEN.vertices[3:5, [7, 2]], atol=1e-6)
    assert surface.at(25.0) is surface
    half = surface.at(12.5)
    assert (half.num_frames, half.topology) == (50, surface.topology)


def test_ada_takes_motion_with_and_without_the_tongue() -> None:
    ada = AdaHead.load()
    coeffs = np.concatenate([0.2 * np.abs(COEFFS[:3]), np.zeros((3, 3), np.float32)], axis=1)
    wide = replace(MOTION, coeffs=coeffs, channels=ADA + TONGUE)
    plain = replace(MOTION, coeffs=coeffs[:, :53])
    some = torch.tensor([3, 1000])
    for only in (None, some):
        made, wanted = (Surface(motion, ada).vertices(only=only) for motion in (wide, plain))
        np.testing.assert_array_equal(made, wanted)
    assert Surface(wide, ada).at(50.0).num_frames == 6
    with pytest.raises(UsageError, match="has others"):
        Surface(replace(wide, channels=TONGUE + ADA), ada)


def test_a_head_turns_only_where_it_is_asked_to() -> None:
    pose = np.tile(np.float32([0, 0.5, 0]), (100, 1))
    turning = replace(MOTION, pose=pose)
    still = surface_of(turning)
    turned = surface_of(turning, turned=True)
    np.testing.assert_array_equal(still.vertices(), surface_of(MOTION).vertices())
    assert np.abs(turned.vertices() - still.vertices()).max() > 0.005
    assert turned.at(50.0).num_frames == 200
    with pytest.raises(ValueError, match="moves as a whole"):
        turned.vertices(only=torch.tensor([1]))


def test_a_mesh_of_its_own_offers_what_it_has() -> None:
    bare = topology_of(GIVEN)
    assert (bare.name, bare.parts, len(bare.faces), dict(bare.regions)) == ("mine", ("skin",), 0, {})
    assert bare.colours.shape == (NUM_VERTS, 3)
    with pytest.raises(AssetError, match="mine has no landmarks"):
        bare.landmarks(torch.zeros(1, NUM_VERTS, 3))
    faces = topology_of(replace(GIVEN, faces=HEAD.faces)).faces
    np.testing.assert_array_equal(faces, HEAD.faces)


@pytest.mark.parametrize("name", ["ada", None])
def test_the_rest_comes_from_the_head_of_that_numbering(name: str | None) -> None:
    given = replace(GIVEN, topology="mine" if name else "ada", neutral=HEAD.template + 0.001)
    mesh = topology_of(given, name)
    np.testing.assert_array_equal(mesh.template, given.neutral)
    np.testing.assert_array_equal(mesh.faces, HEAD.faces)
    assert len(mesh.regions["lips"]) == 20
    np.testing.assert_array_equal(mesh.colours, HEAD.colours)
    assert mesh.landmarks(torch.from_numpy(given.vertices[:2])).shape == (2, 68, 3)


def test_triangles_of_its_own_make_up_for_a_head_that_is_missing() -> None:
    given = replace(GIVEN, topology="flame")
    with pytest.raises(AssetError, match="not here"):
        topology_of(given)
    mesh = topology_of(replace(given, faces=HEAD.faces))
    assert (len(mesh.faces), dict(mesh.regions)) == (len(HEAD.faces), {})


def test_a_former_mesh_of_a_head_is_drawn_with_triangles_of_its_own() -> None:
    former = replace(GIVEN, topology="ball.npz")
    with pytest.raises(UsageError) as caught:
        topology_of(former)
    assert "another version" in str(caught.value.hint)
    mesh = topology_of(replace(former, faces=HEAD.faces))
    assert (len(mesh.faces), mesh.parts) == (len(HEAD.faces), ("skin",))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="others"):
        Surface(MOTION, BallHead())
    with pytest.raises(UsageError, match="vertices only"):
        Surface(MOTION, topology_of(GIVEN))
    with pytest.raises(UsageError, match="120 vertices"):
        topology_of(GIVEN, "ball.npz")
    with pytest.raises(UsageError, match="ball has 1106"):
        Surface(GIVEN, BallHead())
