"""How late a mouth is, on real speech, shifted by known amounts; and where nothing can be said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.lag import Lag, lag, mouth_opening
from talkcli.engine.face.channels import ADA, CHANNELS
from talkcli.engine.prepare.adapters.facegood import read_curves
from talkcli.engine.types import SAMPLES_PER_FRAME, Motion, Silent, Speech

_PAIRS = ("1114_2_01", "1114_2_02", "1114_2_03", "1114_2_04", "1114_3_15")


def spoken(seconds: float, *, late_frames: int = 0, head: str = "ada") -> tuple[Speech, Motion]:
    """Noise in syllables of random lengths, and a jaw that follows them."""
    rng = np.random.default_rng(0)
    frames = round(seconds * 25)
    loud = np.convolve(rng.random(frames + 40) > 0.5, np.hanning(6), mode="same").clip(0, 1)
    samples = rng.normal(scale=0.1, size=frames * SAMPLES_PER_FRAME) * np.repeat(
        loud[20 : 20 + frames], SAMPLES_PER_FRAME
    )
    coeffs = np.zeros((frames, 53), np.float32)
    coeffs[:, CHANNELS[head].index("jawPitch")] = 0.2 * loud[20 - late_frames :][:frames]
    motion = Motion(coeffs=coeffs, fps=25.0, head=head, channels=CHANNELS[head])
    return Speech(samples=samples.astype(np.float32)), motion


@pytest.mark.parametrize("head", ["ada", "flame"])
@pytest.mark.parametrize("frames", [-5, -2, 0, 1, 2, 4])
def test_a_known_lag_is_found(head: str, frames: int) -> None:
    found = lag(*spoken(6.0, late_frames=frames, head=head))
    assert found is not None
    assert found.ms == pytest.approx(40 * frames, abs=20)
    assert found.error_ms < 20
    assert found.r > 0.8
    assert found.is_wrong == (abs(frames) > 2)


def test_nothing_is_said_of_short_silent_and_still_clips() -> None:
    speech, motion = spoken(6.0)
    assert lag(*spoken(1.9)) is None
    assert lag(Speech(samples=np.zeros_like(speech.samples)), motion) is None
    assert lag(speech, replace(motion, coeffs=np.zeros_like(motion.coeffs))) is None
    unknown = tuple(f"channel{index}" for index in range(53))
    assert lag(speech, replace(motion, head="other", channels=unknown)) is None


def test_a_mouth_that_follows_nothing_is_not_late() -> None:
    speech, motion = spoken(6.0)
    rng = np.random.default_rng(1)
    for _ in range(10):
        found = lag(speech, replace(motion, coeffs=rng.normal(size=motion.coeffs.shape).astype(np.float32)))
        assert found is not None
        assert not found.is_wrong


def test_sealed_lips_are_shut_whatever_the_jaw() -> None:
    _, motion = spoken(2.0)
    coeffs = motion.coeffs.copy()
    coeffs[:, ADA.index("lipSeal")] = 1
    assert mouth_opening(replace(motion, coeffs=coeffs)).max() == 0
    assert mouth_opening(motion).max() > 10


def test_what_is_said() -> None:
    assert str(Lag(ms=-131.0, error_ms=9.6, r=0.71)) == "The mouth is 131 ms early (+-10 ms, r 0.71)."


@pytest.mark.data
@pytest.mark.parametrize("name", _PAIRS)
def test_real_pairs_are_a_frame_late_and_shifts_are_found(shared_data: Path, name: str) -> None:
    folder = shared_data / "paired" / "facegood"
    speech = read_speech(folder / f"{name}.wav", Silent())
    motion = read_curves(folder / f"bs_value_{name}.npy", speech.duration_s)
    whole = lag(speech, motion)
    assert whole is not None
    # README of the data: 1 to 2 frames of the original 30 fps.
    assert 25 <= whole.ms <= 70
    assert whole.error_ms < 10
    for start in range(250, len(motion.coeffs) - 320, 300):
        stretch = Speech(samples=speech.samples[start * SAMPLES_PER_FRAME :][: 300 * SAMPLES_PER_FRAME])
        by_shift = {}
        for frames in (-4, 0, 4):
            # Without the frame that all of them are late.
            moved = replace(motion, coeffs=motion.coeffs[start + 1 - frames :][:300])
            by_shift[frames] = lag(stretch, moved)
        for frames, found in by_shift.items():
            assert found.ms - by_shift[0].ms == pytest.approx(40 * frames, abs=40)
            assert found.is_wrong == (frames != 0)
