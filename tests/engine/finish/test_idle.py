"""Silences that live, lips that stay closed in them, and speech that is left alone."""

from __future__ import annotations

import numpy as np

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA
from talkcli.engine.finish.idle import idle
from talkcli.engine.finish.phrasing import Phrasing
from talkcli.engine.finish.smoothing import lip_opening_mm
from talkcli.engine.types import SILENCE, Phone

FPS, FRAMES = 25.0, 1500


def heard(*, speaking: bool) -> Phrasing:
    pauses = () if speaking else (Phone(SILENCE, 0.0, 60.0),)
    return Phrasing(np.full(6000, speaking), pauses, (), np.zeros(6000), np.zeros(6000))


def test_a_silent_face_moves_with_its_lips_closed() -> None:
    for seal in (0.0, 1.0):
        coeffs = np.zeros((FRAMES, 53), np.float32)
        coeffs[:, ADA.index("lipSeal")] = seal
        moved, pose = idle(coeffs, None, heard(speaking=False), FPS, np.random.default_rng(0))
        assert pose is None
        assert moved[:, ADA.index("browInnerUp")].std() > 0.01
        assert np.abs(moved - coeffs).max() < 0.3
        assert lip_opening_mm(moved, AdaHead.load()).max() < 0.5


def test_steps_are_too_small_to_twitch() -> None:
    moved, _ = idle(
        np.zeros((FRAMES, 53), np.float32), None, heard(speaking=False), FPS, np.random.default_rng(1)
    )
    assert np.abs(np.diff(moved, axis=0)).max() < 0.03


def test_speech_is_left_alone() -> None:
    coeffs = np.random.default_rng(2).random((FRAMES, 53)).astype(np.float32)
    moved, _ = idle(coeffs, None, heard(speaking=True), FPS, np.random.default_rng(0))
    np.testing.assert_array_equal(moved, coeffs)


def test_the_head_breathes_twelve_to_eighteen_times_a_minute() -> None:
    still = np.zeros((FRAMES, 3), np.float32)
    _, pose = idle(
        np.zeros((FRAMES, 53), np.float32), still, heard(speaking=True), FPS, np.random.default_rng(3)
    )
    assert pose is not None
    nod = pose[:, 0]
    assert 12 <= np.sum((nod[1:] > 0) & (nod[:-1] <= 0)) <= 18
    assert 0.1 < np.rad2deg(np.abs(nod).max()) < 0.5
    assert not pose[:, 1:].any()
