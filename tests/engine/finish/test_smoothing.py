"""Less jerk, and every closure where it was."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, is_mouth
from talkcli.engine.finish.lip_speed import lips_mm
from talkcli.engine.finish.smoothing import lip_opening_mm, smooth

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
    calm = smooth(babble, head)
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
    calm = smooth(babble, head)
    brow, lid = ADA.index("browInnerUp"), ADA.index("eyeBlinkLeft")
    assert calm[:, brow].std() < 0.65 * babble[:, brow].std()
    np.testing.assert_array_equal(calm[:, lid], babble[:, lid])


def test_what_stands_still_stays(head: AdaHead) -> None:
    still = np.full((40, 53), 0.1, np.float32)
    np.testing.assert_allclose(smooth(still, head), still, atol=1e-6)
