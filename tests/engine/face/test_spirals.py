"""Spirals: the published order, whatever the mesh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from talkcli.engine.errors import UsageError
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.spirals import one_rings, spirals
from tests.engine.face.meshes import Mesh, grid, icosphere, like_flame

TETRAHEDRON = (
    np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]]),
    np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]),
)


@pytest.fixture
def probe(shared_data: Path) -> dict[str, Any]:
    """Numbers of the published code."""
    file = shared_data.parent / "facts" / "probes" / "spiral.probe.json"
    if not file.is_file():
        pytest.skip("the numbers of the published code are not here")
    return json.loads(file.read_text())


def _random(seed: int) -> Mesh:
    points = np.random.default_rng(seed).normal(size=(60, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    hull = ConvexHull(points)
    faces = hull.simplices.astype(np.int64)
    normals = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    inwards = (normals * points[faces[:, 0]]).sum(1) < 0
    faces[inwards] = faces[inwards][:, ::-1]
    return faces, points


def _ada() -> Mesh:
    head = load_head("ada")
    return head.faces, head.template


MESHES = {
    "icosphere": lambda: icosphere(2),
    "grid": lambda: grid(6, 7),
    "like FLAME": like_flame,
    "random": lambda: _random(0),
    "another random": lambda: _random(1),
    "ada": _ada,
}


def test_the_icosphere_is_that_of_the_probe(probe: dict[str, Any]) -> None:
    faces, points = icosphere(2)
    assert faces.tolist() == probe["faces"]
    for vertex, wanted in probe["vertex_checks"].items():
        np.testing.assert_allclose(points[int(vertex)], wanted, atol=1e-7)


@pytest.mark.parametrize("dilation", [1, 2])
def test_spirals_are_the_published_ones(probe: dict[str, Any], dilation: int) -> None:
    faces, points = icosphere(2)
    rings = one_rings(faces, len(points))
    assert {str(row): rings[row] for row in probe["rows"]} == probe["one_ring_circulation"]
    table = spirals(faces, points, length=9, dilation=dilation)
    name = f"spiral_len9_dil{dilation}"
    assert {str(row): table[row].tolist() for row in probe["rows"]} == probe[name]
    rows, columns = (np.arange(1, size + 1) for size in table.shape)
    checksum = (rows[:, None] * columns * table).sum()
    assert checksum == probe[f"{name}_checksum_sum_i_of_(row+1)*(col+1)*index"]


def test_boundaries_are_the_published_ones(probe: dict[str, Any]) -> None:
    faces, points = grid(5, 5)
    wanted = probe["grid5x5"]
    rings = one_rings(faces, len(points))
    assert {row: rings[int(row)] for row in wanted["one_ring"]} == wanted["one_ring"]
    for dilation in (1, 2):
        table = spirals(faces, points, length=9, dilation=dilation)
        expected = wanted[f"spiral_len9_dil{dilation}"]
        assert {row: table[int(row)].tolist() for row in expected} == expected


def test_the_nearest_stand_in_where_there_is_no_further_ring() -> None:
    # All corners of a tetrahedron are equally far apart: the lower number comes first.
    assert spirals(*TETRAHEDRON, length=3).tolist() == [[0, 1, 2], [1, 0, 2], [2, 0, 1], [3, 0, 1]]


def test_a_spiral_computed_by_hand() -> None:
    # A square of two triangles, cut from 0 to 2, and a third triangle on its right side, with 4 at its tip.
    faces = np.array([[0, 1, 2], [0, 2, 3], [1, 4, 2]])
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0.5, 0]])
    assert one_rings(faces, 5) == [[3, 2, 1], [0, 2, 4], [4, 1, 0, 3], [2, 0], [1, 2]]
    table = spirals(faces, points, length=5)
    # Round 0 lie 3, 2 and 1, and behind them 4. All others are neighbours of 2, so that the nearest count.
    assert table[0].tolist() == [0, 3, 2, 1, 4]
    assert table[2].tolist() == [2, 1, 3, 4, 0]


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize(("length", "dilation"), [(9, 1), (9, 2), (15, 1)])
def test_every_vertex_has_a_whole_spiral(name: str, length: int, dilation: int) -> None:
    faces, points = MESHES[name]()
    table = spirals(faces, points, length=length, dilation=dilation)
    assert table.shape == (len(points), length)
    assert (table[:, 0] == np.arange(len(points))).all()
    assert all(len(set(row)) == length for row in table.tolist())
    assert (table >= 0).all()
    assert (table < len(points)).all()


@pytest.mark.parametrize("name", ["icosphere", "grid", "random", "like FLAME"])
def test_other_numbers_of_the_vertices_give_the_same_spirals(name: str) -> None:
    faces, points = MESHES[name]()
    # The nearest have ties on regular meshes; a bent mesh has none.
    points = points + np.random.default_rng(3).normal(0, 1e-3, points.shape)
    number = np.random.default_rng(4).permutation(len(points))
    renumbered = np.empty_like(points)
    renumbered[number] = points
    table = spirals(faces, points, length=9, dilation=2)
    other = spirals(number[faces], renumbered, length=9, dilation=2)
    np.testing.assert_array_equal(other[number], number[table])


def test_parts_without_neighbours_reach_into_other_parts() -> None:
    faces, points = grid(4, 4)
    points = np.concatenate([points, [[1.1, 1.1, 0.5]]])
    table = spirals(faces, points, length=9)
    assert table[16].tolist()[:2] == [16, 5]


def test_without_triangles_the_nearest_are_the_spirals() -> None:
    points = np.array([[float(i), 0, 0] for i in range(6)])
    table = spirals(np.zeros((0, 3), np.int64), points, length=3)
    assert table.tolist() == [[0, 1, 2], [1, 0, 2], [2, 1, 3], [3, 2, 4], [4, 3, 5], [5, 4, 3]]


def test_triangles_that_form_no_surface_are_taken_too() -> None:
    faces = np.random.default_rng(0).integers(0, 50, (80, 3))
    points = np.random.default_rng(1).normal(size=(50, 3))
    table = spirals(faces, points, length=9, dilation=2)
    assert all(len(set(row)) == 9 for row in table.tolist())


def test_a_mesh_that_is_too_small_is_refused() -> None:
    with pytest.raises(UsageError, match="need 18 vertices, but the mesh has 4"):
        spirals(*TETRAHEDRON, length=9, dilation=2)


def test_a_table_is_the_callers_own() -> None:
    faces, points = grid(4, 4)
    spirals(faces, points, length=5)[:] = 0
    assert spirals(faces, points, length=5).any()
