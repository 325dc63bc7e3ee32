"""The crop of a face: its place and size, what lies outside of the picture, and boxes over time."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.crop_box import steady
from talkcli.engine.video.face_crops import boxes_of, face_crop, mouth_boxes_of, mouth_crop


def test_the_crop_is_syncnets() -> None:
    # Of a box of half side 50 around (200, 150): columns 130 to 270, rows 100 to 240.
    picture = np.zeros((300, 400, 3), np.uint8)
    picture[100:240, 130:270] = (10, 20, 30)
    picture[100:102, 130:132] = 200
    crop = face_crop(picture, np.array([200.0, 150.0, 50.0]), 140)
    assert crop.shape == (140, 140, 3)
    assert (crop[:2, :2] == 200).all()
    assert (crop[2:, 2:] == (10, 20, 30)).all()


def test_outside_of_the_picture_is_grey() -> None:
    picture = np.full((100, 100, 3), 255, np.uint8)
    crop = face_crop(picture, np.array([0.0, 50.0, 50.0]), 140)
    assert (crop[:, :70] == 110).all()
    assert (crop[:100, 70:] == 255).all()
    assert (crop[100:] == 110).all()
    assert (face_crop(picture, np.array([900.0, 900.0, 20.0]), 8) == 110).all()


def test_crops_are_resized_bilinearly() -> None:
    picture = np.repeat(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], 120, axis=0).repeat(3, axis=2)
    crop = face_crop(picture, np.array([60.0, 40.0, 40.0]), 56)
    # Two columns of the picture (112 wide) become one of the crop.
    assert np.allclose(crop[10, :, 0], 2 * (4 + 2 * np.arange(56)) + 1, atol=1)


def test_boxes_bound_the_landmarks() -> None:
    landmarks = np.random.default_rng(0).uniform(40, 60, (2, 478, 3)).astype(np.float32)
    landmarks[:, 0, :2], landmarks[:, 1, :2] = (10, 30), (70, 130)
    assert np.allclose(boxes_of(landmarks), [[40, 80, 50]] * 2)


def test_gaps_are_bridged_and_outliers_removed() -> None:
    boxes = np.tile([100.0, 80.0, 40.0], (40, 1))
    boxes[10:13] = np.nan
    boxes[20] = (400, 10, 90)
    assert np.allclose(steady(boxes), [100, 80, 40])


def test_no_face_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="no picture shows a face"):
        steady(np.full((5, 3), np.nan))


def test_the_crop_of_a_mouth() -> None:
    picture = np.zeros((100, 120, 3), np.uint8)
    picture[40:60, 50:70] = 200
    crop = mouth_crop(picture, (60.0, 50.0, 10.0), 20)
    assert crop.shape == (20, 20)
    assert (crop == 200).all()
    assert (mouth_crop(picture, (0.0, 50.0, 10.0), 20)[:, :10] == 110).all()


def test_fine_patterns_become_their_mean_in_small_crops() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:, ::2] = 200
    crop = mouth_crop(picture, (100.0, 100.0, 80.0), 20)
    assert np.abs(crop.astype(int) - 100).max() < 10


def test_boxes_of_mouths() -> None:
    landmarks = np.zeros((2, 478, 3), np.float32)
    landmarks[0, 61], landmarks[0, 291] = (40, 80, 0), (60, 80, 0)
    landmarks[0, 33], landmarks[0, 263] = (30, 40, 0), (70, 40, 30)
    landmarks[1] = np.nan
    found = mouth_boxes_of(landmarks)
    assert np.allclose(found[0], [50, 80, 20])
    assert np.isnan(found[1]).all()
