"""Brows: they rise on some accents, less where they are lowered; the sides differ in strength alone."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.finish import brows as layer
from talkcli.engine.finish.brows import brows
from talkcli.engine.finish.phrasing import Accent, Phrasing
from talkcli.engine.finish.stack import within_range
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.types import Motion

FPS, FRAMES = 25.0, 500
INNER, OUTER_LEFT, OUTER_RIGHT = (
    ADA.index(name) for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")
)
ACCENTS = tuple(Accent(time, 1.0) for time in np.arange(1.0, 19.0, 1.5).tolist())
HEARD = Phrasing(
    speaking=np.ones(2000, bool), pauses=(), accents=ACCENTS, melody=np.zeros(2000), prominence=np.zeros(2000)
)


LEAN = layer._LEANS["browOuterUp"]


def most_lean(name: str) -> float:
    """What one side shows more than the other at most: two deviations, with three of their slow change."""
    return 2 * layer._LEANS[name] * (1 + 3 * layer._WANDER)


def laid(seed: int = 0, heard: Phrasing = HEARD, **channels: float) -> np.ndarray:
    coeffs = np.zeros((FRAMES, 53))
    for name, value in channels.items():
        coeffs[:, ADA.index(name)] = value
    return brows(coeffs, heard, FPS, np.random.default_rng(seed))


def test_brows_rise_on_some_accents() -> None:
    at = [round(accent.time_s * FPS) for accent in ACCENTS]
    heights = np.concatenate([laid(seed)[at, INNER] for seed in range(20)])
    between = np.concatenate([laid(seed)[[frame + 18 for frame in at], INNER] for seed in range(20)])
    assert 0.4 < (heights > 0.12).mean() < 0.7
    assert heights.mean() > 2 * between.mean()
    assert 0.04 < np.mean([laid(seed)[:, INNER].std() for seed in range(20)]) < 0.12


def test_without_accents_and_speech_nothing_rises() -> None:
    silent = Phrasing(
        speaking=np.zeros(2000, bool), pauses=(), accents=(), melody=np.zeros(2000), prominence=np.zeros(2000)
    )
    still = laid(heard=silent)
    assert np.abs(still[:, INNER]).max() == 0
    # Sides lean a little at rest, which is no raise.
    for name in layer._LEANS:
        sides = still[:, [ADA.index(f"{name}{side}") for side in ("Left", "Right")]]
        assert 0 < np.abs(sides).max() < most_lean(name)
        assert np.abs(sides).max(axis=0).min() == 0


def test_lowered_brows_rise_less() -> None:
    frowning = laid(browDownLeft=1.0, browDownRight=1.0)
    assert frowning[:, INNER].max() < 0.3 * laid()[:, INNER].max()


def test_sides_differ_and_agree_in_time() -> None:
    differences = []
    for seed in range(20):
        moved = laid(seed, mouthSmileLeft=0.5, mouthSmileRight=0.5, eyeBlinkLeft=0.5, eyeBlinkRight=0.5)
        left, right, lift = moved[:, OUTER_LEFT], moved[:, OUTER_RIGHT], moved[:, INNER]
        for side in (left, right):
            # Each side is the lift times a factor, but for the slow change of its lean.
            slope, level = np.polyfit(lift, side, 1)
            assert slope > 0
            assert np.abs(side - slope * lift - level).max() < most_lean("browOuterUp") - 2 * LEAN
        differences.append(np.abs(left - right).max())
        smile = moved[:, ADA.index("mouthSmileLeft")] - moved[:, ADA.index("mouthSmileRight")]
        differences.append(np.abs(smile).max())
        # The lean changes slowly.
        assert np.abs(np.diff(smile)).max() < 0.01
        # Lids meet alike.
        assert (moved[:, ADA.index("eyeBlinkLeft")] == moved[:, ADA.index("eyeBlinkRight")]).all()
    assert np.mean(differences) > 0.02


@pytest.mark.parametrize(
    "closed",
    [
        {"lipSeal": 1.0, "jawPitch": 0.03, "mouthPressLeft": 0.12, "mouthPressRight": 0.12},
        {"lipSeal": 1.0, "jawPitch": 0.15, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.5},
        {},
    ],
    ids=["p", "sealed smile", "rest"],
)
def test_lips_that_meet_stay_together(closed: dict[str, float]) -> None:
    head = load_head("ada")
    for seed in range(30):
        coeffs = laid(seed, **closed)[::25].astype(np.float32)
        moved = within_range(Motion(coeffs=coeffs, fps=1.0, head="ada", channels=ADA))
        assert Measured(Surface(moved, head)).gap_mm().max() < 0.2
