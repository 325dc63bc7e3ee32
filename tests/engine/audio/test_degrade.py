"""Degradations: each does what its name says, keeps the length, and does the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.audio.degrade import DEGRADATIONS, Degradation, degrade
from talkcli.engine.types import SPEECH_RATE_HZ, Speech


def _speech(seed: int = 0) -> Speech:
    """Two seconds of a buzz of 120 Hz with a pause of half a second."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(2 * SPEECH_RATE_HZ) / SPEECH_RATE_HZ
    sound = 0.2 * np.sign(np.sin(2 * np.pi * 120 * time_s)) + 0.001 * rng.standard_normal(len(time_s))
    sound[SPEECH_RATE_HZ // 2 : SPEECH_RATE_HZ] *= 0.001
    return Speech(samples=sound.astype(np.float32))


def _level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-12))


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_a_degradation_changes_the_sound_the_same_way_every_time_and_keeps_its_length(
    kind: Degradation,
) -> None:
    speech = _speech()
    once, again = degrade(speech, kind), degrade(speech, kind)
    assert np.array_equal(once.samples, again.samples)
    assert len(once.samples) == len(speech.samples)
    assert np.isfinite(once.samples).all() and np.abs(once.samples).max() <= 1
    # The reader takes the offset away again, as it does for a user's file.
    differs = np.abs(once.samples - speech.samples).max()
    assert differs < 1e-3 if kind == "offset" else differs > 0.01


def test_noise_and_music_fill_the_pause_ten_decibels_below_the_speech() -> None:
    speech = _speech()
    for kind in ("noise", "music"):
        added = degrade(speech, kind).samples - speech.samples
        assert _level_db(speech.samples) - _level_db(added) == pytest.approx(10, abs=0.5)
        assert _level_db(added[SPEECH_RATE_HZ // 2 : SPEECH_RATE_HZ]) > _level_db(speech.samples) - 16


def test_two_sounds_get_different_noise() -> None:
    one, other = _speech(0), _speech(1)
    added = [degrade(speech, "noise").samples - speech.samples for speech in (one, other)]
    assert abs(np.corrcoef(*added)[0, 1]) < 0.1


def test_a_telephone_passes_nothing_above_its_band() -> None:
    power = np.abs(np.fft.rfft(degrade(_speech(), "telephone").samples)) ** 2
    at_hz = np.fft.rfftfreq(2 * SPEECH_RATE_HZ, 1 / SPEECH_RATE_HZ)
    assert power[at_hz > 4000].sum() < 1e-3 * power.sum()
    assert power[at_hz < 200].sum() < 0.05 * power.sum()


def test_quiet_speech_is_25_db_softer() -> None:
    speech = _speech()
    softer = _level_db(speech.samples) - _level_db(degrade(speech, "quiet").samples)
    assert softer == pytest.approx(25, abs=0.1)


def test_a_hall_sounds_on_in_the_pause() -> None:
    speech, part = _speech(), slice(SPEECH_RATE_HZ // 2 + 800, SPEECH_RATE_HZ // 2 + 3200)
    assert _level_db(degrade(speech, "reverb").samples[part]) > _level_db(speech.samples[part]) + 20


def test_a_higher_voice_has_its_pitch_at_156_hz() -> None:
    changed = degrade(_speech(), "pitch").samples[: SPEECH_RATE_HZ // 2]
    power = np.abs(np.fft.rfft(changed * np.hanning(len(changed)))) ** 2
    strongest = np.fft.rfftfreq(len(changed), 1 / SPEECH_RATE_HZ)[power.argmax()]
    assert strongest == pytest.approx(156, abs=4)
