"""Drawings of a mouth: the box of the crop of a film, whatever the head does; one face in other lights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from talkcli.engine.errors import AssetError
from talkcli.engine.face.crop_box import mouth_box
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import FaceMesh
from talkcli.engine.render.mouths import another_light, drawn_mouths, mouth_scene
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderer import camera_axes
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import studio_scene
from talkcli.engine.types import Motion
from talkcli.engine.video.face_crops import mouth_crop

HEAD = load_head("ada")
SIDE = 48


def surface(frames: int = 2, *, jaw: float = 0.2, pose: tuple[float, float, float] | None = None) -> Surface:
    coeffs = np.zeros((frames, len(HEAD.channels)), np.float32)
    coeffs[:, HEAD.channels.index("jawPitch")] = jaw
    turned = None if pose is None else np.tile(np.array(pose, np.float32), (frames, 1))
    motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=HEAD.channels, pose=turned)
    return Surface(motion, HEAD, turned=pose is not None)


def drawn(shown: Surface) -> np.ndarray:
    return np.concatenate(list(drawn_mouths(shown, SIDE)))


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(first.astype(float).ravel(), second.astype(float).ravel())[0, 1])


@pytest.mark.parametrize("pose", [None, (0.1, 0.2, 0.0)])
def test_it_is_the_crop_of_a_picture_of_the_whole_head(pose: tuple[float, float, float] | None) -> None:
    """The box of a film's landmarks, in a picture that `talk animate` draws, shows what is drawn alone."""
    shown, size = surface(pose=pose), 640
    scene = studio_scene(HEAD)
    drawer = open_renderer("software", scene, size, size)
    whole = next(iter(pictures(shown, drawer, threads=1)))
    drawer.close()
    marks = HEAD.landmarks(torch.from_numpy(shown.vertices(slice(0, 1)))).numpy()
    box = mouth_box(marks[:, [48, 54]], marks[:, [36, 45]])
    eye, (right, up, forward) = camera_axes(scene.camera)
    seen = box.centre[0] - eye
    pixels = size / 2 / math.tan(math.radians(scene.camera.fov_deg) / 2) / (seen @ forward)
    place = (size / 2 + pixels * (seen @ right), size / 2 - pixels * (seen @ up), pixels * box.half[0])
    crop = mouth_crop(whole, place, SIDE)
    # A mouth one row off has 0.86.
    assert likeness(crop, drawn(shown)[0]) > 0.95


def test_the_camera_follows_the_mouth() -> None:
    # Nodding moves the mouth by about 8 of the 48 rows.
    still, moved = (drawn(surface(pose=(nod, 0.0, 0.0)))[0] for nod in (0.0, 0.12))
    # The upper edge of the open mouth, below the nose and its shadow.
    edges = [int((shown[16:, 20:28].mean(axis=1) < 60).argmax()) for shown in (still, moved)]
    assert abs(edges[0] - edges[1]) <= 2


def test_an_open_mouth_is_dark_inside() -> None:
    closed, opened = drawn(surface(jaw=0.0))[0], drawn(surface(jaw=0.3))[0]
    inside = (slice(26, 34), slice(20, 28))
    # The row of lower teeth and the tongue, which are bright, cross the box.
    assert opened[inside].mean() < 0.87 * closed[inside].mean()


def test_blocks_are_whole() -> None:
    assert [len(block) for block in drawn_mouths(surface(70), SIDE)] == [64, 6]


def test_another_light_is_another_picture_of_the_same_mouth() -> None:
    mouth = mouth_scene(HEAD)
    shown = [
        next(drawn_mouths(surface(), SIDE, another_light(mouth, np.random.default_rng(seed))))[0]
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(shown[0], shown[1])
    assert np.abs(shown[0].astype(int) - shown[2]).mean() > 5
    assert mouth.scene.lights == mouth_scene(HEAD).scene.lights


def test_a_mesh_without_triangles_cannot_be_drawn() -> None:
    bare = FaceMesh(name="cloud", template=np.zeros((5, 3), np.float32))
    with pytest.raises(AssetError):
        mouth_scene(bare)
