"""The z-buffer against pictures that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.render.edges import sample_offsets
from talkcli.engine.render.raster import TILE, nearest_faces, nearest_samples, project, smooth_normals
from tests.engine.render.shapes import sphere

ROWS, COLUMNS = 12, 16


def _fill(
    screen: list[list[float]], faces: list[list[int]], culled: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    nearness = np.empty((ROWS, COLUMNS), np.float32)
    face_at = np.empty((ROWS, COLUMNS), np.int32)
    flags = np.full(len(faces), culled)
    corners, indices = np.array(screen, np.float32), np.array(faces, np.int32)
    nearest_faces(corners, indices, flags, nearness, face_at)
    alone = np.empty_like(nearness)
    nearest_faces(corners, indices, flags, alone, None)
    np.testing.assert_array_equal(alone, nearness)
    return nearness, face_at


def test_a_triangle_covers_the_samples_whose_centres_it_holds() -> None:
    _, face_at = _fill([[2, 1, 1], [10, 1, 1], [2, 9, 1]], [[0, 1, 2]])
    y, x = np.mgrid[:ROWS, :COLUMNS] + 0.5
    inside = (x >= 2) & (y >= 1) & (x + y <= 11)
    np.testing.assert_array_equal(face_at == 0, inside)


def test_triangles_that_share_edges_leave_no_gap_and_never_overlap() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        hub = [*rng.uniform(4, 8, 2), 1.0]
        corners = [[1.0, 1.0, 1.0], [14.0, 1.0, 1.0], [14.0, 11.0, 1.0], [1.0, 11.0, 1.0]]
        faces = [[4, k, (k + 1) % 4] for k in range(4)]
        _, together = _fill([*corners, hub], faces)
        counts = sum((_fill([*corners, hub], [face])[1] == 0).astype(int) for face in faces)
        y, x = np.mgrid[:ROWS, :COLUMNS] + 0.5
        square = (x > 1) & (x < 14) & (y > 1) & (y < 11)
        np.testing.assert_array_equal(together >= 0, square)
        np.testing.assert_array_equal(counts, square.astype(int))


@pytest.mark.parametrize("order", [[[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]])
def test_nearer_hides_farther_in_either_order(order: list[list[int]]) -> None:
    far = [[0, 0, 1.0], [16, 0, 1.0], [0, 12, 1.0]]
    near = [[0, 0, 2.0], [8, 0, 2.0], [0, 6, 2.0]]
    nearness, face_at = _fill([*far, *near], order)
    assert nearness[1, 1] == 2.0
    assert order[face_at[1, 1]] == [3, 4, 5]
    assert nearness[1, 12] == 1.0


def test_nearness_is_linear_on_the_screen() -> None:
    nearness, face_at = _fill([[0, 0, 1.0], [16, 0, 3.0], [0, 12, 1.0]], [[0, 1, 2]])
    columns = np.arange(COLUMNS) + 0.5
    covered = face_at[3] == 0
    np.testing.assert_allclose(nearness[3, covered], (1 + columns / 8)[covered], rtol=1e-6)


def test_backs_are_drawn_unless_culled() -> None:
    corners, front, back = [[2, 1, 1], [10, 1, 1], [2, 9, 1]], [[0, 2, 1]], [[0, 1, 2]]
    assert (_fill(corners, back, culled=False)[1] == 0).any()
    assert not (_fill(corners, back, culled=True)[1] == 0).any()
    assert (_fill(corners, front, culled=True)[1] == 0).any()


@pytest.mark.parametrize(
    "corners",
    [
        [[2, 1, 1], [np.nan, 1, 1], [2, 9, 1]],
        [[2, 1, 1], [2, 1, 1], [2, 9, 1]],
        [[2, 1, 1], [4, 3, 1], [6, 5, 1]],
        [[-9, -9, 1], [-1, -9, 1], [-9, -1, 1]],
        [[-90, 2, 1], [-70, 2, 1], [-90, 11, 1]],
        [[90, 2, 1], [70, 2, 1], [90, 11, 1]],
        [[9, -20, 1], [2, -20, 1], [9, -11, 1]],
        [[9, 50, 1], [2, 50, 1], [9, 41, 1]],
        [[np.inf, 1, 1], [10, 1, 1], [2, 9, 1]],
        [[1e30, 1, 1], [2e30, 1, 1], [1e30, 9, 1]],
    ],
    ids=["nan", "point twice", "line", "corner", "left", "right", "above", "below", "infinite", "far"],
)
def test_broken_and_unseen_triangles_draw_nothing(corners: list[list[float]]) -> None:
    assert (_fill(corners, [[0, 1, 2]])[1] == -1).all()


def test_a_huge_triangle_fills_the_picture_and_nothing_beyond() -> None:
    nearness, face_at = _fill([[-1e6, -1e6, 1], [1e7, -1e6, 1], [-1e6, 1e7, 1]], [[0, 1, 2]])
    assert (face_at == 0).all()
    np.testing.assert_allclose(nearness, 1.0)


def test_normals_point_outward_on_a_sphere() -> None:
    vertices, faces = sphere()
    normals = np.empty((len(vertices), 3), np.float32)
    smooth_normals(vertices, faces, normals)
    cosine = (normals * vertices / np.linalg.norm(vertices, axis=1, keepdims=True)).sum(axis=1)
    assert cosine.min() > 0.999


def test_normals_survive_vertices_that_are_not_numbers() -> None:
    vertices, faces = sphere()
    vertices[7] = np.nan
    normals = np.empty((len(vertices), 3), np.float32)
    smooth_normals(vertices, faces, normals)
    assert np.isfinite(normals).all()


def test_projection_puts_plus_x_right_plus_y_up_and_drops_what_is_too_near() -> None:
    points = np.array([[0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.995]], np.float32)
    screen = np.empty((3, 3), np.float32)
    axes = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, -1]])
    project(points, np.array([0.0, 0.0, 1.0]), axes, 100.0, (50.0, 40.0), 0.01, screen)
    np.testing.assert_allclose(screen[:2], [[60, 40, 1], [50, 30, 1]], rtol=1e-6)
    assert np.isnan(screen[2]).all()


def test_a_buffer_is_cleared_of_the_picture_before() -> None:
    nearness, face_at = np.empty((ROWS, COLUMNS), np.float32), np.empty((ROWS, COLUMNS), np.int32)
    faces, flags = np.array([[0, 1, 2]], np.int32), np.zeros(1, np.bool_)
    for corners in ([[1, 1, 5], [15, 1, 5], [1, 11, 5]], [[9, 9, 1], [12, 9, 1], [9, 11, 1]]):
        nearest_faces(np.array(corners, np.float32), faces, flags, nearness, face_at)
    fresh = _fill([[9, 9, 1], [12, 9, 1], [9, 11, 1]], [[0, 1, 2]])
    np.testing.assert_array_equal(nearness, fresh[0])
    np.testing.assert_array_equal(face_at, fresh[1])


def _samples(
    screen: np.ndarray, faces: np.ndarray, rows: int = ROWS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearness and face at eight samples of every pixel, and the samples' places."""
    offsets = sample_offsets(8)
    slots = np.arange(rows * COLUMNS, dtype=np.int32).reshape(rows, COLUMNS)
    busy = np.ones((-(-rows // TILE), -(-COLUMNS // TILE)), np.bool_)
    nearness = np.full((slots.size, 8), -np.inf, np.float32)
    face_at = np.full((slots.size, 8), -1, np.int32)
    nearest_samples(screen, faces, np.zeros(len(faces), np.bool_), slots, busy, offsets, nearness, face_at)
    y, x = np.mgrid[:rows, :COLUMNS]
    places = np.stack([x.reshape(-1, 1) + offsets[0], y.reshape(-1, 1) + offsets[1]])
    return nearness, face_at, places


def test_samples_are_those_that_the_triangle_holds() -> None:
    corners = np.array([[2.2, 1.1, 1], [10.4, 1.7, 2], [3.6, 9.9, 3]], np.float32)
    for faces in ([[0, 1, 2]], [[0, 2, 1]]):
        nearness, face_at, (x, y) = _samples(corners, np.array(faces, np.int32))
        sides = [
            (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            for (ax, ay, _), (bx, by, _) in zip(corners, corners[[1, 2, 0]], strict=True)
        ]
        inside = (np.stack(sides) > 0).all(axis=0)
        assert 0 < inside.sum() < inside.size
        np.testing.assert_array_equal(face_at == 0, inside)
        plane = np.linalg.solve(np.column_stack([corners[:, :2], np.ones(3)]), corners[:, 2])
        np.testing.assert_allclose(
            nearness[inside], (plane[0] * x + plane[1] * y + plane[2])[inside], rtol=1e-5
        )


def test_samples_of_triangles_that_share_edges_have_no_gap() -> None:
    rng = np.random.default_rng(0)
    corners = [[1.0, 1.0, 1.0], [14.0, 1.0, 1.0], [14.0, 11.0, 1.0], [1.0, 11.0, 1.0]]
    faces = np.array([[4, k, (k + 1) % 4] for k in range(4)], np.int32)
    for _ in range(20):
        hub = [*rng.uniform(4, 8, 2), 1.0]
        _, face_at, (x, y) = _samples(np.array([*corners, hub], np.float32), faces)
        square = (x > 1) & (x < 14) & (y > 1) & (y < 11)
        np.testing.assert_array_equal(face_at >= 0, square)


def test_samples_of_pixels_that_are_not_marked_stay_as_they_are() -> None:
    slots = np.full((ROWS, COLUMNS), -1, np.int32)
    slots[4, 5] = 0
    busy = np.zeros((2, 2), np.bool_)
    busy[0, 0] = True
    nearness, face_at = np.full((2, 8), -np.inf, np.float32), np.full((2, 8), -1, np.int32)
    corners, faces = (
        np.array([[0, 0, 1], [16, 0, 1], [0, 12, 1]], np.float32),
        np.array([[0, 1, 2]], np.int32),
    )
    nearest_samples(corners, faces, np.zeros(1, np.bool_), slots, busy, sample_offsets(8), nearness, face_at)
    assert (face_at[0] == 0).all()
    assert (face_at[1] == -1).all()
