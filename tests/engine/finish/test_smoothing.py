"""Less jerk, and every closure where it was."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, is_mouth
from talkcli.engine.finish.lip_speed import lips_mm
from talkcli.engine.finish.smoothing import lip_opening_mm, smooth, window

_SEAL, _JAW = ADA.index("lipSeal"), ADA.index("jawPitch")


@pytest.fixture(scope="module")
def head() -> AdaHead:
    return AdaHead.load()


@pytest.fixture(scope="module")
def babble() -> np.ndarray:
    """Openings that go up and down with a tremor, and a closure of a single frame in every tenth."""
    rng = np.random.default_rng(0)
    coeffs = np.zeros((200, 53), np.float32)
    coeffs[:, _JAW] = 0.12 + 0.06 * np.sin(np.arange(200) / 2) + rng.normal(0, 0.015, 200)
    coeffs[:, ADA.index("browInnerUp")] = 0.5 + rng.normal(0, 0.05, 200)
    coeffs[:, ADA.index("eyeBlinkLeft")] = rng.random(200)
    coeffs[5::10, _SEAL] = 1
    return coeffs


def test_closures_stay_and_jerk_falls(head: AdaHead, babble: np.ndarray) -> None:
    calm = smooth(babble, head, fps=25.0)
    closed = lip_opening_mm(babble, head) < 1
    assert closed.sum() == 20
    mouth = [is_mouth(name) for name in ADA]
    np.testing.assert_array_equal(calm[closed][:, mouth], babble[closed][:, mouth])
    assert (lip_opening_mm(calm, head) < 1).sum() == 20

    def jerk(coeffs: np.ndarray) -> float:
        open_mouthed = coeffs.copy()
        open_mouthed[:, _SEAL] = 0
        return float(np.square(np.diff(lips_mm(open_mouthed, head), 3, axis=0)).mean())

    assert jerk(calm) < 0.5 * jerk(babble)


def test_brows_are_calmed_and_lids_are_not(head: AdaHead, babble: np.ndarray) -> None:
    calm = smooth(babble, head, fps=25.0)
    brow, lid = ADA.index("browInnerUp"), ADA.index("eyeBlinkLeft")
    assert calm[:, brow].std() < 0.65 * babble[:, brow].std()
    np.testing.assert_array_equal(calm[:, lid], babble[:, lid])


def test_what_stands_still_stays(head: AdaHead) -> None:
    still = np.full((40, 53), 0.1, np.float32)
    np.testing.assert_allclose(smooth(still, head, fps=25.0), still, atol=1e-6)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("variance", [0.5, 1.0])
def test_a_window_is_as_wide_in_time_at_every_rate(variance: float, fps: float) -> None:
    weights = window(variance, fps)
    offsets_s = (np.arange(len(weights)) - len(weights) // 2) / fps
    assert weights.sum() == pytest.approx(1)
    assert (weights * offsets_s**2).sum() == pytest.approx(variance / 25**2)
    np.testing.assert_allclose(weights, weights[::-1])
    # It damps every frequency, and turns none over.
    response = np.fft.rfft(np.roll(np.pad(weights, (0, 64)), -(len(weights) // 2))).real
    assert response.min() > -1e-12 and response.max() <= 1 + 1e-12


def test_at_25_fps_the_windows_are_binomial() -> None:
    np.testing.assert_array_equal(window(0.5, 25.0), np.array([1, 2, 1]) / 4)
    np.testing.assert_array_equal(window(1.0, 25.0), np.array([1, 4, 6, 4, 1]) / 16)


def test_a_tremor_is_calmed_alike_at_every_rate(head: AdaHead) -> None:
    left = []
    for fps in (25, 30, 60):
        coeffs = np.zeros((4 * fps, 53), np.float32)
        # A tremor of 3 Hz of brows and of a mouth that stays open.
        wave = np.sin(2 * np.pi * 3 * np.arange(4 * fps) / fps)
        coeffs[:, ADA.index("browInnerUp")] = 0.5 + 0.1 * wave
        coeffs[:, _JAW] = 0.2 + 0.02 * wave
        calm = smooth(coeffs, head, fps=float(fps))[fps:-fps]
        left.append([calm[:, ADA.index("browInnerUp")].std(), calm[:, _JAW].std()])
    # Windows of few frames differ a little in form.
    np.testing.assert_allclose(left[1:], [left[0]] * 2, rtol=0.01)
