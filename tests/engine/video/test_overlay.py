"""The overlay: what is drawn lies where it was measured, for pictures of any shape."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.video.overlay import PANEL, SIZE, Overlay, View
from tests.engine.video.made_fit import made_fit

HEAD = np.full((PANEL, PANEL, 3), 60, np.uint8)


def near(picture: np.ndarray, at: np.ndarray, colour: tuple[int, int, int], within: int = 3) -> bool:
    """Whether a pixel of `colour` lies near `at` (x, y)."""
    x, y = np.round(at).astype(int)
    around = picture[max(0, y - within) : y + within + 1, max(0, x - within) : x + within + 1]
    return bool((around == colour).all(axis=-1).any())


@pytest.mark.parametrize(("width", "height"), [(360, 288), (287, 511), (1920, 1080), (60, 48), (4096, 2160)])
def test_a_panel_shows_the_face_whatever_the_picture(width: int, height: int) -> None:
    track, fit = made_fit(width, height)
    view = View.of(track)
    corners = view.on_panel(track.landmarks[0, :, :2])
    assert corners.min() > 0 and corners.max() < PANEL
    assert np.ptp(corners[:, 1]) > 0.5 * PANEL
    # Where a mark of the picture is in the cut, there a point is on the panel.
    picture = np.zeros((height, width, 3), np.uint8)
    x, y = (int(value) for value in fit.measured[0, 30])
    size = max(1, view.side // 60)
    picture[y : y + size, x : x + size] = 255
    cut = np.asarray(view.cut(picture))[..., 0].astype(float)
    assert cut.shape == (PANEL, PANEL)
    rows, columns = np.indices(cut.shape)
    found = np.array([(columns * cut).sum(), (rows * cut).sum()]) / cut.sum()
    wanted = view.on_panel(np.array([x + size / 2, y + size / 2])) - 0.5
    assert np.abs(found - wanted).max() < 1.0


def test_landmarks_are_drawn_where_they_were_measured() -> None:
    track, fit = made_fit(640, 480)
    overlay = Overlay(track, fit)
    view = View.of(track)
    plain = np.zeros((480, 640, 3), np.uint8)
    drawn = overlay.draw(2, plain, HEAD)
    assert drawn.shape == (SIZE[1], SIZE[0], 3) and drawn.dtype == np.uint8
    assert SIZE[0] % 2 == SIZE[1] % 2 == 0
    points = view.on_panel(fit.measured[2])
    lines = {"brow": (0, (130, 240, 120)), "lid": (19, (90, 210, 255)), "lips": (31, (255, 110, 90))}
    for name, (point, colour) in lines.items():
        assert near(drawn, points[point], colour), name
    irises = view.on_panel(track.landmarks[2, [469, 474], :2])
    assert all(near(drawn, iris, (255, 120, 220)) for iris in irises)
    # The head's own, here on the measured ones.
    assert all(near(drawn, point, (255, 255, 255)) for point in points)
    assert (drawn[:PANEL, PANEL:] == 60).all()


def test_a_frame_without_a_face_says_so() -> None:
    track, fit = made_fit(640, 480, unseen=(2,))
    plain = np.zeros((480, 640, 3), np.uint8)
    overlay = Overlay(track, fit)
    seen, lost = overlay.draw(1, plain, HEAD), overlay.draw(2, plain, HEAD)
    alarm = (255, 80, 80)
    assert (seen[:PANEL] != alarm).any(axis=-1).all()
    for panel in (lost[:40, :PANEL], lost[:40, PANEL:]):
        assert (panel == alarm).all(axis=-1).sum() > 20
    # Nothing is drawn on the face, whose place nobody knows.
    assert not lost[60:PANEL, :PANEL].any()


def test_the_mark_on_the_curves_moves_on() -> None:
    track, fit = made_fit(320, 240, frames=300)
    overlay = Overlay(track, fit)
    plain = np.zeros((240, 320, 3), np.uint8)
    places = []
    for frame in (0, 60, 150, 299):
        strip = overlay.draw(frame, plain, HEAD)[PANEL + 28 :]
        places.append(np.flatnonzero((strip == (255, 80, 80)).all(axis=-1).any(axis=0)).mean())
    # Ten seconds are shown: the mark stays in the middle of long clips.
    assert places[0] < 100 and places[3] > 940
    assert places[0] < places[1] < places[2] < places[3]
    assert abs(places[2] - 520) < 10


def test_a_face_at_the_edge_is_shown_on_black() -> None:
    track, _ = made_fit(200, 400, face_height=0.9)
    view = View.of(track)
    assert view.left < 0
    cut = view.cut(np.full((400, 200, 3), 200, np.uint8))
    assert isinstance(cut, Image.Image)
    assert cut.getpixel((1, PANEL // 2)) == (0, 0, 0) and cut.getpixel((PANEL // 2, PANEL // 2)) == (200,) * 3
