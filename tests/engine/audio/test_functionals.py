"""Functionals: their places, what they measure, and what they ignore."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talkcli.engine.audio.functionals import NUM_FUNCTIONALS, functionals
from talkcli.engine.audio.log_mel import LogMel, LogMelConfig

# Places of single functionals, in the order of the docstring.
CEPSTRA, SPECTRUM, LOUD_SPECTRUM = slice(0, 20), slice(60, 76), slice(76, 92)
LOUDNESS, PITCH, PITCH_DEVIATION, RATE = slice(92, 97), slice(98, 102), 102, 107
MODULATION = slice(111, 116)


def voice(pitch_hz: np.ndarray, *, seconds: float = 3.0, beats_hz: float = 4.0) -> torch.Tensor:
    """A buzz of a pitch that may change, in syllables of `beats_hz`."""
    at = np.arange(int(16_000 * seconds)) / 16_000
    phase = 2 * np.pi * np.cumsum(np.interp(at, np.linspace(0, seconds, len(pitch_hz)), pitch_hz)) / 16_000
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    envelope = np.clip(np.sin(2 * np.pi * beats_hz * at / 2) ** 2, 0.001, 1)
    return torch.from_numpy((0.1 * buzz * envelope).astype(np.float32))[None]


def of(samples: torch.Tensor) -> torch.Tensor:
    return functionals(LogMel(LogMelConfig(num_mels=64))(samples))[0]


def test_shape_and_finiteness() -> None:
    ear = LogMel(LogMelConfig(num_mels=64))
    for samples in (voice(np.array([150.0])), torch.zeros(1, 16_000), 1e-4 * torch.randn(1, 640)):
        found = functionals(ear(samples))
        assert found.shape == (1, NUM_FUNCTIONALS)
        assert found.isfinite().all()


def test_level_and_microphone_gain_change_nothing() -> None:
    loud = voice(np.array([150.0]))
    torch.testing.assert_close(of(loud), of(loud * 0.2), atol=2e-3, rtol=1e-3)


def test_a_moving_pitch_spreads() -> None:
    flat, lively = of(voice(np.array([180.0]))), of(voice(np.array([120.0, 260.0, 130.0, 240.0])))
    assert lively[PITCH_DEVIATION] > 5 * flat[PITCH_DEVIATION]
    assert lively[PITCH][3] > lively[PITCH][0]


def test_the_rate_of_syllables() -> None:
    slow, fast = of(voice(np.array([150.0]), beats_hz=3.0)), of(voice(np.array([150.0]), beats_hz=8.0))
    assert fast[RATE] > 1.5 * slow[RATE]
    assert slow[MODULATION].argmax() == 1
    assert fast[MODULATION].argmax() == 3
    assert slow[MODULATION].sum() == pytest.approx(1.0, abs=1e-5)


def test_silence_around_speech_hardly_matters() -> None:
    speech = voice(np.array([150.0, 200.0]))
    padded = torch.nn.functional.pad(speech, (8000, 8000))
    change = (of(padded) - of(speech)).abs()
    assert change[CEPSTRA].max() < 0.05
    assert change[SPECTRUM].max() < 0.05
    assert change[LOUDNESS].max() < 0.05


def test_a_brighter_voice_has_another_spectrum() -> None:
    dull = voice(np.array([150.0]))
    bright = torch.nn.functional.pad(dull, (1, 0))
    bright = bright[:, 1:] - 0.95 * bright[:, :-1]
    change = of(bright)[SPECTRUM] - of(dull)[SPECTRUM]
    assert (change[1:4] > change[:3] + 0.05).all()
