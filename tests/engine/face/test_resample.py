"""Resampling keeps time, value and shape."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.resample import resample
from talkcli.engine.types import Motion


def _motion(values: np.ndarray, fps: float = 25.0) -> Motion:
    return Motion(coeffs=values.astype(np.float32)[:, None], fps=fps, head="ada", channels=("jawOpen",))


def test_the_same_rate_is_the_same_motion() -> None:
    motion = _motion(np.arange(5.0))
    assert resample(motion, 25.0) is motion


@pytest.mark.parametrize("fps", [12.5, 30.0, 59.94, 100.0])
def test_a_smooth_curve_is_followed_and_lasts_as_long(fps: float) -> None:
    middle_s = (np.arange(100) + 0.5) / 25
    motion = resample(_motion(np.sin(2 * np.pi * middle_s)), fps)
    assert abs(motion.duration_s - 4.0) <= 0.5 / fps
    assert motion.fps == fps
    at_s = (np.arange(len(motion.coeffs)) + 0.5) / fps
    inside = (at_s > 0.1) & (at_s < 3.9)
    assert np.abs(motion.coeffs[inside, 0] - np.sin(2 * np.pi * at_s[inside])).max() < 0.01


def test_nothing_overshoots() -> None:
    steps = np.array([0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0], float)
    fine = resample(_motion(steps), 240.0).coeffs
    assert fine.min() >= 0
    assert fine.max() <= 1
    closed = fine[int(5.6 * 9.6) : int(7.4 * 9.6)]
    assert np.abs(closed).max() == 0


def test_one_frame_stays_one_value() -> None:
    assert (resample(_motion(np.array([0.3])), 100.0).coeffs == np.float32(0.3)).all()


def test_up_and_down_again_is_close() -> None:
    values = np.cumsum(np.random.default_rng(0).normal(size=50))
    smooth = np.convolve(values, np.ones(9) / 9, mode="valid")
    back = resample(resample(_motion(smooth), 100.0), 25.0)
    np.testing.assert_allclose(back.coeffs[:, 0], smooth, atol=0.06)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_must_be_positive(fps: float) -> None:
    with pytest.raises(ValueError, match="not positive"):
        resample(_motion(np.arange(3.0)), fps)


@pytest.mark.parametrize("fps", [10.0, 24.0, 60.0])
@pytest.mark.parametrize("frames", [1, 2, 3, 41])
def test_blocks_leave_no_seams(fps: float, frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    motion = _motion(np.random.default_rng(0).normal(size=frames))
    whole = resample(motion, fps).coeffs
    monkeypatch.setattr("talkcli.engine.face.resample._BLOCK_FRAMES", 5)
    np.testing.assert_array_equal(resample(motion, fps).coeffs, whole)


@pytest.mark.parametrize(("rate", "fps"), [(0.1, 240.0), (0.1, 25.0), (1e-3, 60.0), (25.0, 1e9)])
def test_more_frames_than_any_motion_has_are_refused(rate: float, fps: float) -> None:
    with pytest.raises(InputError, match="more than 1048576"):
        resample(_motion(np.zeros(10_000), rate), fps)
