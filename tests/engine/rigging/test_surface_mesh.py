"""Closest points, seams and gradients of triangle meshes."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.rigging.surface_mesh import Closest, SurfaceMesh, welded
from talkcli.engine.rigging.transfer import gradients, transfer
from talkcli.engine.types import Silent
from tests.engine.face.meshes import grid, icosphere


def flat(rows: int = 8, columns: int = 8) -> SurfaceMesh:
    faces, points = grid(rows, columns)
    return SurfaceMesh(points, faces)


def test_closest_points_of_a_plane() -> None:
    points = np.random.default_rng(0).uniform([1, 1, -2], [6, 6, 2], (200, 3))
    at = Closest(flat())(points)
    np.testing.assert_allclose(at.of(flat().vertices), points * [1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(at.distances, np.abs(points[:, 2]), atol=1e-9)
    np.testing.assert_allclose(at.weights.sum(axis=1), 1)


def test_closest_points_beyond_the_rim_and_by_brute_force() -> None:
    faces, points = icosphere(2)
    mesh = SurfaceMesh(points, faces)
    wanted = np.random.default_rng(1).normal(0, 1.2, (50, 3))
    at = Closest(mesh)(wanted)
    # A fine sampling of every triangle.
    shares = np.random.default_rng(2).dirichlet(np.ones(3), 300)
    samples = np.einsum("sc,fcx->fsx", shares, points[faces]).reshape(-1, 3)
    nearest = np.linalg.norm(wanted[:, None] - samples[None], axis=2).min(axis=1)
    assert (at.distances <= nearest + 1e-9).all()
    assert (at.distances > nearest - 0.03).all()


def test_seams_are_welded_and_touching_surfaces_are_not() -> None:
    left, right = flat(4, 4), flat(4, 4)
    beside = SurfaceMesh(
        np.concatenate([left.vertices, right.vertices + np.array([0, 3, 0])]),
        np.concatenate([left.faces, right.faces + 16]),
    )
    joined, places = welded(beside)
    assert len(joined.vertices) == 28
    assert len(np.unique(joined.components)) == 1
    np.testing.assert_allclose(joined.vertices[places], beside.vertices)
    # Two lips: the other one faces the other way.
    facing = SurfaceMesh(
        np.concatenate([left.vertices, right.vertices]),
        np.concatenate([left.faces, right.faces[:, ::-1] + 16]),
    )
    assert len(welded(facing)[0].vertices) == 32


def test_ways_along_edges() -> None:
    mesh = flat(5, 5)
    assert mesh.along_edges(np.array([0]))[4] == pytest.approx(4)
    np.testing.assert_array_equal(mesh.path(0, 4), np.arange(5))
    assert np.isinf(mesh.along_edges(np.array([0]), 2.0)[24])


def test_gradients_of_a_linear_map() -> None:
    faces, points = icosphere(2)
    mesh = SurfaceMesh(points, faces)
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    found = gradients(mesh, points @ turn.T - points)
    np.testing.assert_allclose(found, np.broadcast_to(turn - np.eye(3), found.shape), atol=1e-9)


def test_transfer_of_a_shape_onto_the_same_mesh() -> None:
    faces, points = icosphere(3)
    mesh = SurfaceMesh(0.1 * points, faces)
    moved = 0.01 * np.sin(3 * points[:, [1, 2, 0]])
    at = Closest(mesh)
    middles = at(mesh.vertices[faces].mean(axis=1))
    found = transfer(
        mesh,
        mesh,
        moved[None],
        places=at(mesh.vertices),
        middles=middles,
        trust=np.ones(len(points)),
        touching=[],
        reporter=Silent(),
    )[0]
    assert np.abs(found - moved).max() < 0.05 * np.abs(moved).max()
