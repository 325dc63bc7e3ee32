"""The constant-velocity Kalman filter: by hand, on still faces, on ramps, on noise, and at its corner."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from talkcli.engine.face.kalman import PASSES, Passes, kalman

FPS = 30.0


def test_three_steps_by_hand() -> None:
    # One frame a second and a corner of 1 / (2 pi) Hz: both noises are 1. Worked out with fractions, the
    # speed unknown at first: the second frame is taken as measured with speed 1, the third is 2 - 17/20.
    measured = np.array([[0.0], [1.0], [1.0]])
    corner = {"corner_hz": 1 / (2 * math.pi)}
    forward = kalman(measured, 1.0, passes="forward", **corner)
    np.testing.assert_allclose(forward[:, 0], [0, 1, 1.15], atol=1e-5)
    both = kalman(measured, 1.0, passes="both", **corner)
    np.testing.assert_allclose(both[:, 0], [0.15, 0.7, 1.15], atol=1e-5)


@pytest.mark.parametrize("passes", PASSES)
def test_what_rests_stays(passes: Passes) -> None:
    still = np.tile([0.3, -2.0, 0.0], (50, 1))
    np.testing.assert_allclose(kalman(still, FPS, corner_hz=8.0, passes=passes), still, atol=1e-12)


@pytest.mark.parametrize("passes", PASSES)
def test_noise_becomes_less(passes: Passes) -> None:
    noise = np.random.default_rng(0).normal(size=(600, 4))
    shares = [
        kalman(noise, FPS, corner_hz=corner, passes=passes).var() / noise.var() for corner in (2.0, 4.0, 8.0)
    ]
    assert shares[0] < shares[1] < shares[2] < 0.9
    # As a part of half the frame rate, the band that two passes leave is about 1.1 times the corner.
    assert passes == "forward" or shares[0] == pytest.approx(2.0 / 15, abs=0.05)


def test_two_passes_do_not_delay() -> None:
    ramp = np.arange(60.0)[:, None] * [0.1, -3.0] + [5.0, 1.0]
    both = kalman(ramp, FPS, corner_hz=3.0, passes="both")
    np.testing.assert_allclose(both, ramp, atol=1e-6)


def test_one_pass_overshoots_and_two_are_even() -> None:
    at = np.arange(121) - 60
    step = (at >= 0).astype(float)[:, None]
    forward, both = (kalman(step, FPS, corner_hz=4.0, passes=passes)[:, 0] for passes in PASSES)
    assert forward.max() > 1.1
    # What comes before the step is not changed by it where only the past is known.
    np.testing.assert_allclose(forward[:60], 0, atol=1e-12)
    assert both.max() < 1.06
    np.testing.assert_allclose(both[40:81] - 0.5, 0.5 - both[39:80][::-1], atol=1e-3)


def test_half_of_an_oscillation_remains_at_the_corner() -> None:
    times = np.arange(600)[:, None] / 100.0
    wave = np.sin(2 * np.pi * 5.0 * times)
    left = kalman(wave, 100.0, corner_hz=5.0, passes="both")[200:400]
    assert np.abs(left).max() == pytest.approx(0.5, abs=0.02)


def test_the_unit_does_not_matter() -> None:
    walk = np.random.default_rng(1).normal(size=(40, 1)).cumsum(axis=0)
    one, thousand = (kalman(walk * scale, FPS, corner_hz=6.0, passes="both") for scale in (1.0, 1000.0))
    np.testing.assert_allclose(thousand, one * 1000, rtol=1e-9)


@pytest.mark.parametrize("frames", [0, 1])
def test_what_is_too_short_stays(frames: int) -> None:
    values = np.ones((frames, 3))
    np.testing.assert_array_equal(kalman(values, FPS, corner_hz=8.0, passes="both"), values)


@pytest.mark.parametrize("wrong", [{"corner_hz": 0.0}, {"corner_hz": math.nan}])
def test_wrong_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="corner_hz"):
        kalman(np.zeros((3, 1)), FPS, **{"corner_hz": 8.0, "passes": "forward", **wrong})
