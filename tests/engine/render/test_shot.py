"""What somebody asks of a picture: sizes, looks, cameras, and backgrounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.heads import GENERATED, load_head
from talkcli.engine.render.background import background_file, linear, with_background
from talkcli.engine.render.framing import CAMERAS
from talkcli.engine.render.look import srgb
from talkcli.engine.render.raster import project
from talkcli.engine.render.renderer import Scene, camera_axes
from talkcli.engine.render.setting import scene_of
from talkcli.engine.render.shot import Shot, Size, shot_of, size_of
from talkcli.engine.render.software import SoftwareRenderer
from talkcli.engine.render.studio import LOOKS, VIEWS
from tests.engine.render.shapes import BallHead

HEADS = {name: load_head(name) for name in GENERATED}
ADA = HEADS["ada"]


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (512, (512, 512)),
        ("64", (64, 64)),
        ("1080x1920", (1080, 1920)),
        ("4096X65", (4096, 65)),
        ((70, 80), (70, 80)),
    ],
)
def test_sizes(given: Any, size: tuple[int, int]) -> None:
    assert size_of(given) == size
    assert size_of(size_of(given)) == size


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "12x",
        "x12",
        "512x512x512",
        "-512",
        "5e2",
        "512.0",
        "63",
        "4097",
        "64x9999999999",
        (1, 2, 3),
        None,
    ],
)
def test_what_is_no_size(given: Any) -> None:
    with pytest.raises(UsageError, match="size="):
        size_of(given)


@pytest.mark.parametrize(
    ("given", "says", "near"),
    [
        ({"look": "clai"}, "look=clai", "Did you mean clay"),
        ({"camera": "mouht"}, "camera=mouht", "Did you mean mouth"),
        ({"view": "above"}, "view=above", "three-quarter"),
        ({"zoom": 0.5}, "zoom=0.5", ""),
        ({"zoom": float("nan")}, "zoom=nan", ""),
        ({"background": "gren"}, "background=gren", "Did you mean green"),
        ({"background": "rgb(300,0,0)"}, "no opaque colour", ""),
        ({"background": "#11223344"}, "no opaque colour", ""),
        ({"background": "#12345"}, "neither a colour nor a picture", "#2a4d69"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], says: str, near: str) -> None:
    with pytest.raises(UsageError, match=says.replace("(", r"\(")) as caught:
        shot_of(**given)
    assert near in str(caught.value.hint)


def test_a_picture_that_is_not_there_is_refused_at_once() -> None:
    with pytest.raises(InputError, match=r"There is no file gone\.png"):
        shot_of(background="gone.png")


def _on_screen(scene: Scene, points: np.ndarray, size: Size) -> np.ndarray:
    """Columns and rows of points, in pixels."""
    eye, axes = camera_axes(scene.camera)
    focal = 0.5 * min(size) / np.tan(np.radians(scene.camera.fov_deg) / 2)
    screen = np.empty((len(points), 3), np.float32)
    centre = (0.5 * size.width, 0.5 * size.height)
    project(np.ascontiguousarray(points, np.float32), eye, axes, focal, centre, 0.01, screen)
    return screen[:, :2]


@pytest.mark.parametrize("name", GENERATED)
@pytest.mark.parametrize("size", [Size(300, 300), Size(300, 900), Size(900, 300)])
@pytest.mark.parametrize(("camera", "region"), [("mouth", "lips"), ("eyes", "eyes"), ("bust", None)])
@pytest.mark.parametrize("view", VIEWS)
def test_the_camera_shows_all_of_its_part(
    name: str, size: Size, camera: str, region: str | None, view: str
) -> None:
    head = HEADS[name]
    scene = scene_of(head, Shot(size=size, camera=camera, view=view))
    points = head.template if region is None else head.template[head.regions[region]]
    seen = _on_screen(scene, points, size)
    assert (seen > 0).all() and (seen < size).all()
    # And not from far away.
    assert np.ptp(seen, axis=0).max() > 0.12 * min(size)


def test_cameras_differ_and_zoom_enlarges() -> None:
    lips, size = ADA.template[ADA.regions["lips"]], Size(100, 100)

    def width(**asked: Any) -> float:
        return float(np.ptp(_on_screen(scene_of(ADA, Shot(size=size, **asked)), lips, size)[:, 0]))

    widths = [width(camera=camera) for camera in ("bust", "portrait", "close", "mouth")]
    assert widths == sorted(set(widths))
    assert width(zoom=2.5) == pytest.approx(2.5 * width(), rel=1e-3)
    assert len(CAMERAS) == 5


@pytest.mark.parametrize("size", [Size(64, 96), Size(96, 64)])
def test_the_middle_of_any_picture_is_the_square_one(size: Size) -> None:
    nowhere = np.full_like(ADA.template, np.nan)

    def head_only(size: Size) -> np.ndarray:
        renderer = SoftwareRenderer(scene_of(ADA, Shot(size=size, background="black")), *size)
        return renderer.render(ADA.template).astype(int) - renderer.render(nowhere)

    whole, square = head_only(size), head_only(Size(64, 64))
    top, left = (size.height - 64) // 2, (size.width - 64) // 2
    difference = np.abs(whole[top : top + 64, left : left + 64] - square)
    assert np.percentile(difference, 99) <= 3
    assert np.abs(square).max() > 50


def test_the_usual_shot_is_the_studios() -> None:
    from talkcli.engine.render.studio import studio_scene

    assert scene_of(ADA, Shot()).camera == studio_scene(ADA).camera
    assert scene_of(ADA, Shot()).background == studio_scene(ADA).background


def test_heads_without_regions_go_by_landmarks_or_get_a_sentence() -> None:
    class Bare(BallHead):
        def landmarks(self, vertices: Any) -> Any:
            raise AssetError("The topology bare has no landmarks.")

    assert scene_of(BallHead(), Shot(camera="mouth")).camera != scene_of(BallHead(), Shot()).camera
    with pytest.raises(UsageError, match="camera=mouth"):
        scene_of(Bare(), Shot(camera="mouth"))
    for camera in ("portrait", "bust"):
        scene_of(Bare(), Shot(camera=camera))


def test_clay_has_no_colours() -> None:
    clay = scene_of(ADA, Shot(look="clay")).colours
    assert np.ptp(clay, axis=1).max() == 0
    assert np.ptp(scene_of(ADA, Shot(look="skin")).colours) > 0.1
    assert list(LOOKS) == ["skin", "clay"]


def test_backgrounds(tmp_path: Path) -> None:
    scene = scene_of(ADA, Shot())
    assert with_background(scene, None, 8, 4) is scene
    assert with_background(scene, "transparent", 8, 4).background is None
    even = with_background(scene, "#2a4d69", 8, 4).background
    assert isinstance(even, np.ndarray) and even.shape == (4, 8, 3) and even.dtype == np.float32
    np.testing.assert_allclose(255 * srgb(even[1, 2]), (0x2A, 0x4D, 0x69), atol=0.01)
    pixels = np.zeros((10, 40, 3), np.uint8)
    pixels[:, 15:25] = 255
    Image.fromarray(pixels).save(tmp_path / "bar.png")
    picture = with_background(scene, str(tmp_path / "bar.png"), 10, 10).background
    # It covers the square, and what is left and right of its middle is cut.
    assert isinstance(picture, np.ndarray) and picture.shape == (10, 10, 3) and picture.min() > 0.99
    assert background_file(str(tmp_path / "bar.png")) == tmp_path / "bar.png"
    assert background_file("red") is background_file(None) is background_file("transparent") is None


def test_sRGB_and_back() -> None:  # noqa: N802
    steps = np.linspace(0, 1, 256)
    np.testing.assert_allclose(srgb(linear(steps)), steps, atol=1e-6)
