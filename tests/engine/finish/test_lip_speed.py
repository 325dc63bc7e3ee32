"""The limit on the lips' speed."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.channels import ADA, NUM_COEFFS
from talkcli.engine.face.heads import load_head
from talkcli.engine.finish import lip_speed
from talkcli.engine.finish.lip_speed import LIMIT_MM_S, limit_lip_speed, lips_mm

ADA_HEAD = load_head("ada")


def fastest_mm(coeffs: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(lips_mm(coeffs, ADA_HEAD), axis=0), axis=-1).max())


def test_a_snap_of_the_jaw_is_eased_and_contacts_stay() -> None:
    coeffs = np.zeros((12, NUM_COEFFS))
    coeffs[4:8, ADA.index("jawPitch")] = 0.2
    coeffs[4:8, ADA.index("browInnerUp")] = 1.0
    held = np.zeros(12, dtype=bool)
    held[3] = True
    assert fastest_mm(coeffs) > 15
    eased = limit_lip_speed(coeffs, ADA_HEAD, held, fps=25.0)
    assert fastest_mm(eased) <= 4.6
    np.testing.assert_array_equal(eased[3], coeffs[3])
    # The opening is smaller, not gone; what is no mouth is untouched.
    assert eased[:, ADA.index("jawPitch")].max() > 0.08
    np.testing.assert_array_equal(eased[:, ADA.index("browInnerUp")], coeffs[:, ADA.index("browInnerUp")])


@pytest.mark.parametrize("fps", [30, 50, 60])
def test_the_limit_is_one_of_speed(fps: int) -> None:
    """The same snap, sampled at another rate, is eased to the same speed and not further."""
    coeffs = np.zeros((fps, NUM_COEFFS))
    coeffs[fps // 3 : 2 * fps // 3, ADA.index("jawPitch")] = 0.2
    eased = limit_lip_speed(coeffs, ADA_HEAD, np.zeros(fps, dtype=bool), fps=float(fps))
    assert 0.9 * LIMIT_MM_S < fastest_mm(eased) * fps <= LIMIT_MM_S


def test_slow_motion_is_left_alone() -> None:
    coeffs = np.zeros((20, NUM_COEFFS))
    coeffs[:, ADA.index("jawPitch")] = np.linspace(0, 0.15, 20)
    np.testing.assert_array_equal(
        limit_lip_speed(coeffs, ADA_HEAD, np.zeros(20, dtype=bool), fps=25.0), coeffs
    )


def test_blocks_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    coeffs = np.abs(rng.normal(0, 0.3, (60, NUM_COEFFS))).astype(np.float32)
    held = rng.random(60) < 0.1
    whole = limit_lip_speed(coeffs, ADA_HEAD, held, fps=25.0)
    assert np.abs(whole - coeffs).max() > 0.1
    monkeypatch.setattr(lip_speed, "_BLOCK_FRAMES", 7)
    np.testing.assert_allclose(limit_lip_speed(coeffs, ADA_HEAD, held, fps=25.0), whole, atol=1e-5)
    assert len(limit_lip_speed(coeffs[:1], ADA_HEAD, held[:1], fps=25.0)) == 1
