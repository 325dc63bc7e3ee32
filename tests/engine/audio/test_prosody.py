"""Loudness and pitch of sounds whose loudness and pitch are known."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.audio.prosody import loudness_db, pitch_hz
from talkcli.engine.types import Speech


def pulses(hz: float, seconds: float = 0.5, level: float = 0.2) -> Speech:
    time = np.arange(round(16_000 * seconds)) / 16_000
    return Speech(
        samples=(level * sum(np.cos(2 * np.pi * hz * k * time) / 5 for k in range(1, 6))).astype(np.float32)
    )


@pytest.mark.parametrize("hz", [95.0, 150.0, 240.0, 330.0])
def test_pitch_of_a_harmonic_tone(hz: float) -> None:
    found = pitch_hz(pulses(hz))[5:-5]
    np.testing.assert_allclose(found, hz, rtol=0.03)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(8000)
    assert np.isnan(pitch_hz(Speech(samples=noise.astype(np.float32)))).mean() > 0.9
    assert np.isnan(pitch_hz(Speech(samples=np.zeros(8000, np.float32)))).all()


def test_loudness() -> None:
    square = Speech(samples=np.tile(np.float32([0.1, -0.1]), 4000))
    level = loudness_db(square)
    assert len(level) == 50
    np.testing.assert_allclose(level[3:-3], -20.0, atol=0.01)
    assert loudness_db(Speech(samples=np.zeros(400, np.float32))).max() == pytest.approx(-80)
