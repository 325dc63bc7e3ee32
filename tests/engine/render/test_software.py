"""Whole pictures: colour, sides, edges, shadow, and the same bytes from any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from talkcli.engine.errors import UsageError
from talkcli.engine.render.look import srgb
from talkcli.engine.render.renderer import Light, Material
from talkcli.engine.render.software import SoftwareRenderer
from talkcli.engine.render.studio import studio_scene
from tests.engine.render.shapes import BallHead, flat_scene, sphere

SQUARE = np.array([[-0.3, -0.2, 0], [0.3, -0.2, 0], [0.3, 0.2, 0], [-0.3, 0.2, 0]], np.float32)
SQUARE_FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def _encoded(linear: float) -> int:
    return round(255 * float(srgb(np.array(linear))))


def test_a_square_that_faces_the_camera_covers_its_pixels_in_its_colour() -> None:
    colours = np.tile(np.array([[0.8, 0.4, 0.2]], np.float32), (4, 1))
    picture = SoftwareRenderer(flat_scene(SQUARE_FACES, colours), 100, 100).render(SQUARE)
    expected = np.zeros((100, 100, 3), np.uint8)
    # Light of 0.5 straight on; 0.6 x 0.4 m in a picture of 1 x 1 m.
    expected[30:70, 20:80] = [_encoded(0.4), _encoded(0.2), _encoded(0.1)]
    np.testing.assert_array_equal(picture, expected)


def test_a_row_of_more_surfaces_than_are_lit_at_once_is_lit_alike() -> None:
    colours = np.tile(np.array([[0.8, 0.4, 0.2]], np.float32), (4, 1))
    picture = SoftwareRenderer(flat_scene(SQUARE_FACES, colours), 400, 400).render(SQUARE)
    expected = np.zeros((400, 400, 3), np.uint8)
    expected[120:280, 80:320] = [_encoded(0.4), _encoded(0.2), _encoded(0.1)]
    np.testing.assert_array_equal(picture, expected)


def test_each_surface_of_such_a_row_has_its_own_colour() -> None:
    # Six strips of 40 pixels side by side, each in one colour: a row has 240 surfaces.
    strips = 6
    left = -0.3 + 0.1 * np.arange(strips, dtype=np.float32)
    verts = np.tile(SQUARE, (strips, 1, 1))
    verts[:, [0, 3], 0] = left[:, None]
    verts[:, [1, 2], 0] = left[:, None] + np.float32(0.1)
    faces = np.concatenate([SQUARE_FACES + 4 * strip for strip in range(strips)])
    own = np.random.default_rng(0).uniform(0.1, 0.9, (strips, 3)).astype(np.float32)
    scene = flat_scene(faces, np.repeat(own, 4, axis=0))
    picture = SoftwareRenderer(scene, 400, 400).render(verts.reshape(-1, 3))
    for strip, colour in enumerate(own):
        expected = [_encoded(0.5 * float(level)) for level in colour]
        # Without the edges, where strips share pixels.
        inside = picture[122:278, 82 + 40 * strip : 118 + 40 * strip].reshape(-1, 3).astype(int)
        assert np.abs(inside - expected).max() <= 1


def test_colours_are_interpolated_in_perspective() -> None:
    # Tilted away: the middle of its far and near edge lies below the middle of the picture.
    tilted = np.array([[-0.2, -0.2, 0.3], [0.2, -0.2, 0.3], [0.2, 0.2, -0.3], [-0.2, 0.2, -0.3]], np.float32)
    colours = np.array([[0, 0, 0], [0, 0, 0], [1, 1, 1], [1, 1, 1]], np.float32)
    picture = SoftwareRenderer(flat_scene(SQUARE_FACES, colours), 200, 200).render(tilted)
    cosine = 0.4 / np.hypot(0.4, 0.6)
    for row in (80, 100, 120):
        # The ray through the row meets y = slope (1 - z), z = -1.5 y.
        slope = (100 - (row + 0.5)) / 200
        y = slope / (1 - 1.5 * slope)
        share = (y + 0.2) / 0.4
        assert abs(int(picture[row, 100, 0]) - _encoded(0.5 * cosine * share)) <= 1


def test_a_vertex_to_the_subjects_left_appears_on_the_right() -> None:
    moved = SQUARE + np.array([0.2, 0.1, 0.0], np.float32)
    picture = SoftwareRenderer(flat_scene(SQUARE_FACES, np.ones((4, 3), np.float32)), 100, 100).render(moved)
    rows, columns = np.nonzero(picture[:, :, 0])
    assert columns.mean() > 65
    assert rows.mean() < 45


@pytest.mark.parametrize("samples", [8, 16])
@pytest.mark.parametrize("upright", [True, False])
def test_an_edge_has_as_many_steps_as_samples(samples: int, upright: bool) -> None:
    # The edge lies a third into a pixel.
    shift = np.array([1 / 300, 0, 0] if upright else [0, 1 / 300, 0], np.float32)
    scene = flat_scene(SQUARE_FACES, np.ones((4, 3), np.float32))
    picture = SoftwareRenderer(scene, 100, 100, samples).render(SQUARE + shift)
    covered = np.sum((np.arange(samples) + 0.5) / samples > 1 / 3) / samples
    edge = picture[50, 20, 0] if upright else picture[69, 50, 0]
    assert abs(int(edge) - _encoded(0.5 * covered)) <= 1


def test_a_strand_thinner_than_a_pixel_is_seen_wherever_it_lies() -> None:
    # 0.2 pixels wide: most of its places lie between the pixels' centres.
    strand = np.array([[-0.001, -0.3, 0], [0.001, -0.3, 0], [0.001, 0.3, 0], [-0.001, 0.3, 0]], np.float32)
    scene = flat_scene(SQUARE_FACES, np.ones((4, 3), np.float32))
    renderer = SoftwareRenderer(scene, 100, 100, 16)
    for step in range(10):
        picture = renderer.render(strand + np.array([0.001 * step, 0, 0], np.float32))
        light = np.interp(picture[50, :, 0] / 255.0, srgb(np.linspace(0, 1, 999)), np.linspace(0, 1, 999))
        assert abs(light.sum() - 0.5 * 0.2) < 0.04


def test_the_back_of_a_surface_is_culled_when_closed_and_nearly_dark_when_open() -> None:
    backwards = SQUARE_FACES[:, ::-1].copy()
    colours = np.ones((4, 3), np.float32)
    closed = flat_scene(backwards, colours, materials=(Material(specular=0.0, closed=True),))
    assert SoftwareRenderer(closed, 50, 50).render(SQUARE).max() == 0
    inside = SoftwareRenderer(flat_scene(backwards, colours), 50, 50).render(SQUARE)[25, 25]
    assert 0 < inside.max() < 0.5 * _encoded(0.5)


def test_a_body_throws_its_shadow_on_what_lies_behind_it() -> None:
    ball, ball_faces = sphere(radius=0.05)
    wall = np.array([[-0.4, -0.4, -0.2], [0.4, -0.4, -0.2], [0.4, 0.4, -0.2], [-0.4, 0.4, -0.2]])
    # The wall needs vertices of its own: light is seen per vertex.
    grid = np.linspace(-0.4, 0.4, 41)
    x, y = np.meshgrid(grid, grid)
    wall = np.stack([x.ravel(), y.ravel(), np.full(x.size, -0.2)], axis=1).astype(np.float32)
    at = np.arange(41 * 41).reshape(41, 41)
    wall_faces = np.concatenate(
        [
            np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:]], axis=-1).reshape(-1, 3),
            np.stack([at[:-1, :-1], at[1:, 1:], at[1:, :-1]], axis=-1).reshape(-1, 3),
        ]
    )
    vertices = np.concatenate([wall, ball])
    faces = np.concatenate([wall_faces, ball_faces + len(wall)]).astype(np.int32)
    light = Light(direction=(-1.0, 0.0, 1.0), colour=(1.0, 1.0, 1.0), shadow=True)
    scene = flat_scene(faces, np.full(vertices.shape, 0.5, np.float32), lights=(light,))
    picture = SoftwareRenderer(scene, 120, 120).render(vertices)
    # 0.2 m behind the ball, light that falls in at 45 degrees shadows what lies 0.2 m to the right.
    shadowed = 60 + round(120 * 0.2 / 1.2)
    mirrored = 119 - shadowed
    assert picture[60, shadowed, 0] < 0.4 * picture[60, mirrored, 0]


def test_equal_vertices_give_equal_bytes_from_any_thread_and_any_renderer() -> None:
    head = BallHead()
    scene = studio_scene(head)
    poses = [head.template * (1 + 0.01 * k) for k in range(12)]
    renderer = SoftwareRenderer(scene, 64, 64)
    alone = [renderer.render(pose) for pose in poses]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(renderer.render, poses))
    again = SoftwareRenderer(scene, 64, 64)
    assert [p.tobytes() for p in together] == [p.tobytes() for p in alone]
    # In reverse, so that a buffer that kept something of the picture before would show.
    assert [again.render(p).tobytes() for p in reversed(poses)] == [p.tobytes() for p in reversed(alone)]


def test_a_broken_vertex_spoils_its_own_triangles_only() -> None:
    head = BallHead()
    renderer = SoftwareRenderer(studio_scene(head), 96, 96)
    whole = renderer.render(head.template)
    broken = head.template.copy()
    broken[np.argmax(broken[:, 2])] = np.nan
    picture = renderer.render(broken)
    changed = np.abs(picture.astype(int) - whole).max(axis=2) > 8
    assert 0 < changed.sum() < 200


def test_vertices_that_are_all_broken_show_the_wall() -> None:
    head = BallHead()
    renderer = SoftwareRenderer(studio_scene(head), 32, 32)
    gone = np.full_like(head.template, np.nan)
    np.testing.assert_array_equal(renderer.render(gone), renderer.render(head.template + 100))


def test_two_lights_with_shadows_are_refused() -> None:
    light = Light(direction=(0.0, 0.0, 1.0), colour=(1.0, 1.0, 1.0), shadow=True)
    scene = flat_scene(SQUARE_FACES, np.ones((4, 3), np.float32), lights=(light, light))
    with pytest.raises(ValueError, match="2 lights"):
        SoftwareRenderer(scene, 16, 16)


def test_an_image_stands_behind_the_head_pixel_by_pixel() -> None:
    image = np.random.default_rng(0).uniform(0, 1, (40, 60, 3))
    scene = flat_scene(SQUARE_FACES, np.ones((4, 3), np.float32), background=image)
    picture = SoftwareRenderer(scene, 60, 40).render(SQUARE)
    seen = np.zeros((40, 60), np.bool_)
    seen[11:29, 17:43] = True
    assert np.abs(picture[~seen].astype(int) - 255 * srgb(image)[~seen]).max() <= 1
    assert (picture[20, 30] == _encoded(0.5)).all()


def test_an_image_of_another_size_is_refused() -> None:
    scene = flat_scene(SQUARE_FACES, np.ones((4, 3), np.float32), background=np.zeros((40, 60, 3)))
    with pytest.raises(UsageError, match="60x40"):
        SoftwareRenderer(scene, 40, 60)


def test_without_a_background_alpha_is_how_much_is_covered_and_the_colour_is_straight() -> None:
    shifted = SQUARE + np.array([1 / 200, 0, 0], np.float32)
    scene = flat_scene(SQUARE_FACES, np.ones((4, 3), np.float32), background=None)
    picture = SoftwareRenderer(scene, 100, 100).render(shifted)
    assert picture.shape == (100, 100, 4)
    assert (picture[50, 30] == [_encoded(0.5)] * 3 + [255]).all()
    assert (picture[5, 5] == 0).all()
    # Half of this pixel is covered.
    assert abs(int(picture[50, 20, 3]) - 128) <= 1
    assert (picture[50, 20, :3] == _encoded(0.5)).all()


@pytest.mark.parametrize(("width", "height"), [(90, 40), (40, 90)])
def test_the_smaller_side_frames_a_picture_that_is_not_square(width: int, height: int) -> None:
    scene = flat_scene(SQUARE_FACES, np.ones((4, 3), np.float32))
    seen = SoftwareRenderer(scene, width, height).render(SQUARE)[:, :, 0] > 0
    # 0.6 x 0.4 m where the smaller side sees one metre.
    assert seen.any(axis=0).sum() == 24
    assert seen.any(axis=1).sum() == 16


def _grain(picture: np.ndarray) -> float:
    """Mean difference of neighbouring pixels in the middle of a picture."""
    height, width = picture.shape[:2]
    middle = picture[height // 3 : -height // 3, width // 3 : -width // 3].astype(float)
    return float(np.abs(np.diff(middle, axis=0)).mean())


def test_detail_of_skin_sticks_to_its_place_at_rest_and_fades_with_distance() -> None:
    head = BallHead()
    scene = studio_scene(head)
    bare = replace(scene, materials=(replace(scene.materials[0], detail=0.0),))
    near, far = (SoftwareRenderer(scene, size, size).render(head.template) for size in (700, 60))
    assert _grain(near) > 1.2 * _grain(SoftwareRenderer(bare, 700, 700).render(head.template))
    np.testing.assert_array_equal(far, SoftwareRenderer(bare, 60, 60).render(head.template))
    # A head that swells carries its detail along: pixels that see the same place at rest look alike.
    camera = replace(scene.camera, eye=tuple(1.25 * np.array(scene.camera.eye)))
    swollen = SoftwareRenderer(replace(scene, camera=camera), 700, 700).render(1.25 * head.template)
    difference = np.abs(swollen.astype(int) - near)[233:466, 233:466]
    assert np.median(difference) <= 1


@pytest.mark.parametrize("gaze", [(0.0, 0.0), (0.3, 0.1), (-0.3, -0.1)])
@pytest.mark.parametrize("rings", [8, 40])
def test_an_eye_gleams_at_every_gaze_however_coarse_its_mesh_is(
    gaze: tuple[float, float], rings: int
) -> None:
    ball, faces = sphere(rings=rings, spokes=2 * rings, radius=0.2)
    aim = np.array([gaze[0], gaze[1], 1.0])
    aim /= np.linalg.norm(aim)
    right = np.cross([0.0, 1.0, 0.0], aim)
    right /= np.linalg.norm(right)
    turned = ball @ np.stack([right, np.cross(aim, right), aim])
    eye = Material(specular=0.3, gloss=420.0, closed=True, cornea=True)
    light = Light(direction=(0.3, 0.4, 1.0), colour=(1.0, 1.0, 1.0))
    fields = {"materials": (eye,), "lights": (light,), "rest": ball}
    colours = np.full(ball.shape, 0.02, np.float32)
    picture = SoftwareRenderer(flat_scene(faces, colours, **fields), 200, 200).render(
        turned.astype(np.float32)
    )
    rows, columns = np.nonzero(picture[:, :, 0] > 200)
    assert 10 < len(rows) < 400
    # Within the iris, whose rim lies 29 degrees from the line of sight.
    middle = 100 + 200 * 0.2 * aim[0], 100 - 200 * 0.2 * aim[1]
    assert np.hypot(columns.mean() - middle[0], rows.mean() - middle[1]) < 200 * 0.2 * np.sin(np.radians(29))


def test_edges_among_fibres_are_not_smoothed_and_those_against_others_are() -> None:
    # A strand before a far sheet of the same part; both end within pixels.
    shift = np.array([1 / 300, 0, 0], np.float32)
    near = SQUARE * np.array([0.2, 0.5, 1], np.float32) + shift + np.array([0, 0, 0.2], np.float32)
    vertices = np.concatenate([SQUARE + shift, near])
    faces = np.concatenate([SQUARE_FACES, SQUARE_FACES + 4])
    colours = np.repeat(np.array([[0.2] * 3, [0.8] * 3], np.float32), 4, axis=0)
    rows = []
    for fibres in (False, True):
        scene = flat_scene(faces, colours, materials=(Material(specular=0.0, fibres=fibres),))
        rows.append(SoftwareRenderer(scene, 100, 100).render(vertices)[50, :, 0])
    smooth, rough = rows
    pure = np.array([0, _encoded(0.1), _encoded(0.4)])
    mixed = [np.abs(row.astype(int)[:, None] - pure).min(axis=1) > 1 for row in (smooth, rough)]
    assert mixed[0][25:75].any()
    assert not mixed[1][25:75].any()
    np.testing.assert_array_equal(smooth[:25], rough[:25])
    assert mixed[1][:25].any()
