"""The camera frames heads of any size and place, from the side that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.errors import UsageError
from talkcli.engine.render.raster import project
from talkcli.engine.render.renderer import camera_axes
from talkcli.engine.render.software import SoftwareRenderer
from talkcli.engine.render.studio import LOOKS, VIEWS, studio_scene
from tests.engine.render.shapes import BallHead


def _silhouette(head: BallHead, yaw_deg: float = 0.0) -> np.ndarray:
    scene = studio_scene(head, yaw_deg=yaw_deg)
    nowhere = np.full_like(head.template, np.nan)
    renderer = SoftwareRenderer(scene, 64, 64)
    return np.abs(renderer.render(head.template).astype(int) - renderer.render(nowhere)).max(axis=2) > 6


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (40.0, 3.0), (0.01, -0.2)])
def test_any_head_is_in_the_middle_and_fills_the_picture(view: str, scale: float, shift: float) -> None:
    head = BallHead()
    head.template = head.template * np.float32(scale) + np.float32(shift)
    rows, columns = np.nonzero(_silhouette(head, VIEWS[view]))
    assert abs(rows.mean() - 31.5) < 1.5
    assert abs(columns.mean() - 31.5) < 1.5
    assert 38 <= np.ptp(rows) + 1 <= 60


def test_the_neck_does_not_count_for_the_framing() -> None:
    head, long = BallHead(), BallHead()
    up = head.template[:, 1]
    head.regions = {
        "eyes": np.flatnonzero(abs(up - 0.01) < 0.01),
        "lips": np.flatnonzero(abs(up + 0.05) < 0.01),
    }
    long.regions = head.regions
    long.template = np.concatenate([head.template, [[0.0, -0.4, 0.0]]]).astype(np.float32)
    long.colours = np.full(long.template.shape, 0.5, np.float32)
    assert studio_scene(head).camera == studio_scene(long).camera


@pytest.mark.parametrize(("view", "right"), [("front", (1, 0, 0)), ("profile", (0, 0, -1))])
def test_the_view_turns_to_the_subjects_left(view: str, right: tuple[int, int, int]) -> None:
    eye, axes = camera_axes(studio_scene(BallHead(), yaw_deg=VIEWS[view]).camera)
    np.testing.assert_allclose(axes[0], right, atol=1e-9)
    screen = np.empty((1, 3), np.float32)
    project(0.05 * np.array([right], np.float32), eye, axes, 100.0, (0.0, 0.0), 0.01, screen)
    assert screen[0, 0] > 0


def test_unknown_parts_get_a_material_too() -> None:
    head = BallHead()
    head.parts = ("antenna",)
    assert len(studio_scene(head).materials) == 1


def test_clay_is_one_grey_but_for_parts_that_stay_readable() -> None:
    head = BallHead()
    head.parts = ("skin", "brow")
    head.part_of_face[(head.template[head.faces, 1] > 0.05).all(axis=1)] = 1
    head.colours[:] = [0.5, 0.3, 0.2]
    brow = np.unique(head.faces[head.part_of_face == 1])
    skin = np.setdiff1d(np.arange(len(head.template)), brow)
    colours = studio_scene(head, look="clay").colours
    assert len(np.unique(colours[skin])) == 1
    assert (np.ptp(colours, axis=1) < 1e-6).all()
    assert colours[brow].max() < 0.6 * colours[skin].min()
    np.testing.assert_array_equal(studio_scene(head).colours, head.colours)


def test_an_unknown_look_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="wax") as caught:
        studio_scene(BallHead(), look="wax")
    assert all(look in str(caught.value.hint) for look in LOOKS)


def test_a_part_with_a_longer_name_has_the_material_of_its_kind() -> None:
    head = BallHead()
    head.parts = ("teeth_upper", "teeth", "antenna")
    upper, teeth, other = studio_scene(head).materials
    assert upper.specular == teeth.specular != other.specular
