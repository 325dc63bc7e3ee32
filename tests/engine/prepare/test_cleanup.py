"""Motion is smoothed and resampled as said, and nothing happens unasked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from pydantic import ValidationError
from scipy.spatial.transform import Rotation

from talkcli.engine.face.channels import ADA, CHANNELS
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.prepare.cleanup import Cleanup, clean
from talkcli.engine.types import Motion


def _motion(head: str, frames: int = 50, fps: float = 25.0, pose: np.ndarray | None = None) -> Motion:
    coeffs = np.random.default_rng(0).random((frames, 53), np.float32)
    return Motion(coeffs=coeffs, fps=fps, head=head, channels=CHANNELS[head], pose=pose)


def test_nothing_is_done_unasked() -> None:
    motion = _motion("ada")
    assert clean(motion, Cleanup()) is motion
    assert clean(motion, Cleanup(fps=25.0)) is motion


def test_what_is_done_in_words() -> None:
    assert str(Cleanup()) == "Motion is neither resampled nor smoothed; the turning of the head is left out."
    assert str(Cleanup(smooth=True, fps=29.97, keep_pose=True)) == (
        "Motion is resampled to 29.97 frames a second and smoothed (Savitzky-Golay, length 5, order 2); the "
        "turning of the head is kept."
    )


def test_the_pose_goes_unless_it_is_kept() -> None:
    motion = _motion("ada", pose=np.zeros((50, 3), np.float32))
    assert clean(motion, Cleanup()).pose is None
    assert clean(motion, Cleanup(keep_pose=True)).pose is not None


def test_flame_is_smoothed_as_published() -> None:
    motion = _motion("flame", pose=np.random.default_rng(1).normal(scale=0.05, size=(50, 3)).astype("f4"))
    smooth = clean(motion, Cleanup(smooth=True, keep_pose=True))
    np.testing.assert_allclose(
        smooth.coeffs, scipy.signal.savgol_filter(motion.coeffs, 5, 2, axis=0), atol=1e-6
    )
    # For small turns the filter on quaternions is the filter on axis-angle.
    np.testing.assert_allclose(smooth.pose, scipy.signal.savgol_filter(motion.pose, 5, 2, axis=0), atol=1e-3)
    assert smooth.coeffs.dtype == smooth.pose.dtype == np.float32


def test_a_named_channel_stays_within_what_it_was() -> None:
    coeffs = np.zeros((20, 53), np.float32)
    coeffs[8:, ADA.index("lipSeal")] = 1
    coeffs[8:, ADA.index("jawPitch")] = 0.3
    motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)
    smooth = clean(motion, Cleanup(smooth=True)).coeffs
    seal, pitch = smooth[:, ADA.index("lipSeal")], smooth[:, ADA.index("jawPitch")]
    assert (seal.min(), seal.max()) == (0, 1)
    assert 0 < seal[7] < 1
    # An angle overshoots as published.
    assert pitch.min() < 0
    assert pitch.max() > np.float32(0.3)


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_a_few_frames_are_not_smoothed(frames: int) -> None:
    motion = _motion("flame", frames=frames)
    assert clean(motion, Cleanup(smooth=True)) is motion


def _turn(degrees: np.ndarray) -> np.ndarray:
    """About an axis that is none of the three, in the shortest form: it flips where it passes half a turn."""
    axis = np.array([0.6, 0.0, 0.8])
    return Rotation.from_rotvec(np.radians(degrees)[:, None] * axis).as_rotvec().astype(np.float32)


@pytest.mark.parametrize(
    "cleanup", [{"smooth": True}, {"fps": 60.0}, {"fps": 12.0}, {"smooth": True, "fps": 30.0}]
)
def test_a_turn_past_pi_is_as_good_as_one_at_zero(cleanup: dict[str, float]) -> None:
    swing = 15 * np.sin(np.arange(50) / 4)
    there = np.abs(np.diff(_turn(180 + swing), axis=0)).max()
    assert there > 3, "the vectors do flip"
    results = []
    for middle in (0, 180):
        motion = _motion("flame", pose=_turn(middle + swing))
        results.append(Rotation.from_rotvec(clean(motion, Cleanup(keep_pose=True, **cleanup)).pose))  # type: ignore[arg-type]
    at_zero, at_pi = results
    back = Rotation.from_rotvec(-np.pi * np.array([0.6, 0.0, 0.8])) * at_pi
    assert (back * at_zero.inv()).magnitude().max() < 1e-3


@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_the_rate_changes_before_the_smoothing(fps: float) -> None:
    motion = _motion("flame", frames=120, fps=60.0)
    both = clean(motion, Cleanup(smooth=True, fps=fps))
    assert both.fps == fps
    assert both.duration_s == pytest.approx(2.0)
    slower = clean(motion, Cleanup(fps=fps))
    np.testing.assert_array_equal(both.coeffs, clean(slower, Cleanup(smooth=True)).coeffs)


@pytest.mark.parametrize("fps", [0.0, -1.0, 1e9, float("nan"), float("inf")])
def test_a_rate_must_be_one(fps: float) -> None:
    with pytest.raises(ValidationError):
        Cleanup(fps=fps)


@pytest.mark.data
@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_real_blinks_survive_a_lower_rate(shared_data: Path, fps: float) -> None:
    """Why nothing is filtered before: little of recorded motion is too fast for 25 fps."""
    for path in sorted((shared_data / "arkit_csv").glob("*.csv")):
        motion = read_take(path).motion
        slow = clean(motion, Cleanup(fps=fps))
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            lid, slow_lid = (moved.coeffs[:, ADA.index(name)] for moved in (motion, slow))
            peaks, _ = scipy.signal.find_peaks(lid, height=0.4, distance=10, prominence=0.25)
            assert len(peaks) >= 8
            near = [slow_lid[max(0, round((peak + 0.5) / 60 * fps) - 3) :][:6].max() for peak in peaks]
            assert (lid[peaks] - near).max() < 0.12
            assert (lid[peaks] - near).mean() < 0.03
