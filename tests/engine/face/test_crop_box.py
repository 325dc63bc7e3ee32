"""Boxes of a mouth: their place and size."""

from __future__ import annotations

import numpy as np

from talkcli.engine.face.crop_box import grey, mouth_box


def test_the_box_lies_around_the_mouth_and_is_as_wide_as_the_eyes_say() -> None:
    corners = np.array([[[90.0, 200.0], [130.0, 204.0]]])
    eyes = np.array([[[60.0, 100.0, 0.0], [160.0, 100.0, 0.0]]])
    found = mouth_box(corners, eyes)
    assert np.allclose(found.centre, [[110, 202]])
    assert np.allclose(found.half, 40)
    # A turned head has its eyes nearer to one another in the picture, and as far apart in space.
    turned = np.array([[[60.0, 100.0, 0.0], [120.0, 100.0, 80.0]]])
    assert np.allclose(mouth_box(corners, turned).half, 40)


def test_grey() -> None:
    colours = np.array([[[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert grey(colours).tolist() == [[255, 76, 150, 29]]
