"""The sky over a head with a mouth: near the lips as it is now, elsewhere as it is at rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from talkcli.engine.render.columns import COLUMNS, SKY
from talkcli.engine.render.raster import smooth_normals
from talkcli.engine.render.renderer import Material, Scene
from talkcli.engine.render.sky import Sky
from tests.engine.render.shapes import flat_scene, sphere


def _ball_with_mouth() -> tuple[Scene, np.ndarray, np.ndarray]:
    """A ball of 10 cm whose cap in front is a mouth, under a roof; which vertices are of the ball."""
    ball, ball_faces = sphere()
    roof, roof_faces = sphere(radius=0.03)
    vertices = np.concatenate([ball, roof + np.array([0.0, 0.04, 0.13], np.float32)])
    faces = np.concatenate([ball_faces, roof_faces + len(ball)])
    cap = vertices[faces].mean(axis=1)[:, 2] > 0.097
    part_of_face = np.where(cap & (faces[:, 0] < len(ball)), 1, 0)
    scene = flat_scene(
        faces,
        np.full(vertices.shape, 0.5, np.float32),
        part_of_face=part_of_face,
        materials=(Material(closed=True), Material(closed=True, flesh=0.4)),
        rest=vertices,
    )
    return scene, vertices, np.arange(len(vertices)) < len(ball)


def _seen(scene: Scene, vertices: np.ndarray) -> np.ndarray:
    faces = np.column_stack([scene.faces, scene.part_of_face]).astype(np.int32)
    sky = Sky(scene, faces)
    table = np.zeros((len(vertices), COLUMNS), np.float32)
    table[:, SKY] = sky.at_rest
    smooth_normals(vertices, faces, table)
    sky.see(vertices, np.ones(len(vertices), np.bool_), table, sky.views())
    return table[:, SKY]


def test_at_rest_a_patch_sees_the_sky_that_the_whole_head_sees() -> None:
    scene, vertices, ball = _ball_with_mouth()
    whole = _seen(replace(scene, rest=None), vertices)
    patch = _seen(scene, vertices)
    assert whole[ball].min() < 0.7
    assert np.abs(patch - whole)[ball].mean() < 0.01
    assert np.abs(patch - whole)[ball].max() < 0.15


def test_what_moves_before_the_mouth_changes_the_sky_there_and_nowhere_else() -> None:
    scene, vertices, ball = _ball_with_mouth()
    moved = vertices.copy()
    moved[~ball] += np.array([0.0, 0.5, 0.0], np.float32)
    change = np.abs(_seen(scene, moved) - _seen(scene, vertices))[ball]
    far = vertices[ball][:, 2] < 0.05
    assert change[~far].max() > 0.1
    assert change[far].max() == 0.0


def test_a_head_that_moves_as_a_whole_keeps_its_sky() -> None:
    scene, vertices, _ = _ball_with_mouth()
    away = vertices + np.array([0.3, -0.2, 0.1], np.float32)
    np.testing.assert_allclose(_seen(scene, away), _seen(scene, vertices), atol=0.02)
