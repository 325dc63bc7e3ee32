"""How much a face moves besides its words, on motion whose numbers are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from talkcli.engine.errors import AssetError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics import liveliness
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.types import Motion

STILL = Motion(coeffs=np.zeros((100, 53), np.float32), fps=25.0, head="ada", channels=ADA)


def moving(**channels: np.ndarray) -> Measured:
    coeffs = STILL.coeffs.copy()
    for name, values in channels.items():
        coeffs[:, ADA.index(name)] = values
    return Measured(Surface(replace(STILL, coeffs=coeffs), load_head("ada")))


def test_a_head_that_turns_by_half_a_degree_a_frame() -> None:
    pose = np.zeros((100, 3), np.float32)
    pose[:, 1] = np.radians(0.5) * np.arange(100)
    turning = Measured(Surface(replace(STILL, pose=pose), load_head("ada")))
    assert liveliness.measure_head_speed(turning) == pytest.approx(12.5, rel=1e-3)
    with pytest.raises(AssetError, match="how the head turns"):
        liveliness.measure_head_speed(moving())


def test_blinks_of_both_lids_are_counted() -> None:
    lids = np.zeros(100)
    lids[[10, 11, 50]] = 0.9
    assert liveliness.measure_blink_rate(moving(eyeBlinkLeft=lids, eyeBlinkRight=lids)) == 30.0
    # A wink is no blink.
    assert liveliness.measure_blink_rate(moving(eyeBlinkLeft=lids)) == 0.0


def test_sides_that_differ() -> None:
    left, right = np.linspace(0, 1, 100), np.linspace(0, 0.8, 100)
    take = moving(mouthSmileLeft=left, mouthSmileRight=right)
    assert liveliness.measure_asymmetry(take) == pytest.approx(0.1, abs=1e-6)
    # Eyes that look aside are no asymmetry of the face.
    with pytest.raises(UndefinedMetricError, match="two sides"):
        liveliness.measure_asymmetry(moving(eyeLookInLeft=left, mouthLeft=left))


def test_brows_and_mouth() -> None:
    wave = np.sin(np.arange(100) / 3) / 4 + 0.5
    assert liveliness.measure_brow_sd(moving(browInnerUp=wave)) == pytest.approx(wave.std(), rel=1e-5)
    half_open = moving(jawPitch=np.repeat([0.0, 0.2], 50))
    assert liveliness.measure_closed_share(half_open) == 0.5
    assert liveliness.measure_gap_mean(half_open) == pytest.approx(half_open.gap_mm()[99] / 2, rel=1e-3)
