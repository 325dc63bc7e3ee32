"""Curves of a motion, and the picture of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.formats import PLOT, check_output, export
from talkcli.engine.exports.panels import emotion_levels, panels
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.face.expressions import EMOTION_POSES, pose_vector
from talkcli.engine.finish.smoothing import lip_opening_mm
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import SPEECH_RATE_HZ, Motion, Silent, Speech


def motion(rows: np.ndarray) -> Motion:
    return Motion(coeffs=rows.astype(np.float32), fps=25.0, head="ada", channels=ADA)


def piece(made: Motion, seconds: float | None = None) -> Piece:
    speech = None
    if seconds is not None:
        loud = np.where(np.arange(round(seconds * SPEECH_RATE_HZ)) < SPEECH_RATE_HZ, 0.9, 0.0)
        speech = Speech(samples=(loud * (-1.0) ** np.arange(len(loud))).astype(np.float32))
    return Piece(motion=made, meta={}, reporter=Silent(), speech=speech)


@pytest.mark.parametrize("name", [name for name, pose in EMOTION_POSES.items() if pose])
def test_the_pose_of_an_emotion_is_that_emotion(name: str) -> None:
    level = 0.6
    levels = emotion_levels(motion(np.tile(level * pose_vector(ADA, EMOTION_POSES[name]), (60, 1))))
    assert levels[name] == pytest.approx(np.full(60, level), abs=1e-6)
    assert max(values.max() for other, values in levels.items() if other != name) < 1e-6


def test_speech_and_blinks_are_no_emotion() -> None:
    rows = np.zeros((50, len(ADA)))
    for channel in ("jawPitch", "eyeBlinkLeft", "mouthFunnel", "mouthLowerDownLeft"):
        rows[:, ADA.index(channel)] = 0.5
    assert max(values.max() for values in emotion_levels(motion(rows)).values()) == 0


def test_curves_are_those_of_the_motion() -> None:
    rows = np.zeros((100, len(ADA)))
    rows[:, ADA.index("jawPitch")] = np.linspace(0, 0.3, 100)
    rows[40:44, ADA.index("eyeBlinkRight")] = 1.0
    rows[:, ADA.index("browDownLeft")] = 0.5
    made = motion(rows)
    mouth, brows, lids, emotion = panels(piece(made))
    # Measured on all vertices, as the layers do on the few that count.
    expected = lip_opening_mm(made.coeffs, AdaHead.load())
    np.testing.assert_allclose(mouth.curves["lip opening"], expected, atol=0.02)
    assert brows.curves["lowered"] == pytest.approx(np.full(100, 0.25))
    assert np.flatnonzero(lids.curves["right"]).tolist() == [40, 41, 42, 43] and not lids.curves["left"].any()
    assert set(emotion.curves) <= set(EMOTION_POSES)


def test_the_picture_is_as_long_as_the_motion(tmp_path: Path) -> None:
    made = motion(np.zeros((250, len(ADA))))
    export(tmp_path / "p.png", piece(made, 10.0), PLOT)
    drawn = np.asarray(Image.open(tmp_path / "p.png").convert("RGB"), int)
    # 120 pixels a second, with a border of 60 and 24; five panels of 130 with gaps of 34, then the axis.
    assert drawn.shape == (5 * 164 + 40, 1200 + 84, 3)
    sound = (np.abs(drawn[34:164] - [0x8A, 0x97, 0xA8]).max(axis=2) < 12).sum(axis=0)
    # The sound is loud for one second of ten, which is 120 columns.
    assert np.flatnonzero(sound > 60).min() == pytest.approx(60, abs=1)
    assert np.flatnonzero(sound > 60).max() == pytest.approx(60 + 120, abs=2)


def test_motion_of_flame_without_its_head_shows_the_jaw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path))
    monkeypatch.delenv("TALK_FLAME", raising=False)
    coeffs = np.zeros((20, len(FLAME)), np.float32)
    coeffs[:, FLAME.index("jawPitch")] = np.radians(9)
    found = panels(piece(Motion(coeffs=coeffs, fps=25.0, head="flame", channels=FLAME)))
    assert [list(panel.curves) for panel in found] == [["jaw"]]
    assert found[0].curves["jaw"] == pytest.approx(np.full(20, 9.0), abs=1e-4)


def test_a_plot_is_a_png(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="PNG file"):
        check_output(tmp_path / "p.svg", PLOT, shot=Shot())
