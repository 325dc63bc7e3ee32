"""Augmentation: what was asked for happens, and nothing moves in time."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.signal import fftconvolve, lfilter

from talkcli.engine.audio.augment import (
    AugmentConfig,
    augment,
    babble,
    band_limit,
    clip,
    colour,
    coloured,
    hum,
    mixed,
    mu_law,
    pitch,
    reverberate,
)
from talkcli.engine.audio.music import music

RATE_HZ = 16_000
EVERYTHING = AugmentConfig(pitch=1, reverb=1, noise=1, colour=1, band_limit=1, codec=1, gain=1)
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _voice(seed: int, seconds: float = 3.0, pitch_hz: float = 120.0) -> np.ndarray:
    """Syllables of a buzz with two formants, with pauses between."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = np.cumsum(pitch_hz * (1 + 0.05 * np.sin(2 * np.pi * 1.3 * time_s))) / RATE_HZ
    sound = np.diff(np.floor(phase), prepend=0.0) + 0.003 * rng.standard_normal(len(time_s))
    for formant_hz in (600.0, 1700.0):
        pole = np.exp(-np.pi * 90 / RATE_HZ + 2j * np.pi * formant_hz / RATE_HZ)
        sound = lfilter([1.0], np.poly([pole, pole.conjugate()]).real, sound)
    knots = np.clip(rng.uniform(-0.6, 1.0, round(seconds * 6) + 2), 0, 1)
    sound *= np.interp(time_s * 6, np.arange(len(knots)), knots)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def _level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def _envelope(samples: np.ndarray) -> np.ndarray:
    """RMS over 20 ms, every millisecond."""
    energy = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    starts = np.arange(0, len(samples) - 320, 16)
    return np.sqrt(np.maximum(energy[starts + 320] - energy[starts], 0))


def _lag_ms(samples: np.ndarray, changed: np.ndarray, most: int = 40) -> tuple[int, float]:
    """By how much `changed` comes late, and how alike the envelopes then are."""
    before, after = _envelope(samples), _envelope(changed)
    alike = [
        np.corrcoef(before[most:-most], after[most + lag : len(after) - most + lag])[0, 1]
        for lag in range(-most, most + 1)
    ]
    return int(np.argmax(alike)) - most, float(np.max(alike))


def _centroid_hz(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float((power * np.fft.rfftfreq(len(samples), 1 / RATE_HZ)).sum() / power.sum())


def _pitch_hz(samples: np.ndarray, about_hz: float) -> float:
    """Of the whole, by autocorrelation within a third of `about_hz`."""
    power = np.abs(np.fft.rfft(samples, 2 * len(samples))) ** 2
    correlation = np.fft.irfft(power)
    lags = np.arange(int(RATE_HZ / about_hz / 1.3), int(RATE_HZ / about_hz * 1.3))
    return RATE_HZ / float(lags[np.argmax(correlation[lags])])


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        (lambda sound, rng: pitch(sound, 0.85), 0.95),
        (lambda sound, rng: pitch(sound, 1.18), 0.95),
        (lambda sound, rng: colour(sound, rng, 8.0), 0.95),
        (lambda sound, rng: band_limit(sound, 300.0, 3400.0), 0.95),
        (lambda sound, rng: reverberate(sound, rng, 0.3, 5.0), 0.9),
        (lambda sound, rng: mixed(sound, coloured(len(sound), rng), 10.0), 0.9),
        (lambda sound, rng: mu_law(sound), 0.95),
        (lambda sound, rng: clip(sound, 0.3, "hard"), 0.9),
        (lambda sound, rng: augment(sound, rng, EVERYTHING, [_voice(7)]), 0.8),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_time_stays(change: Change, alike: float, seed: int) -> None:
    sound = _voice(seed)
    changed = change(sound, np.random.default_rng(seed))
    assert len(changed) == len(sound)
    lag, correlation = _lag_ms(sound, changed)
    assert abs(lag) <= 5
    assert correlation > alike
    assert not np.allclose(changed, sound, atol=1e-3)


@pytest.mark.parametrize("factor", [0.85, 0.95, 1.05, 1.18])
def test_pitch_and_formants_move_together(factor: float) -> None:
    sound = _voice(0)
    changed = pitch(sound, factor)
    assert _pitch_hz(changed, 120.0) / _pitch_hz(sound, 120.0) == pytest.approx(factor, rel=0.04)
    assert _centroid_hz(changed) / _centroid_hz(sound) == pytest.approx(factor, rel=0.04)


def test_a_voice_changes_quickly() -> None:
    sound = _voice(0, seconds=5.0)
    began = time.process_time()
    pitch(sound, 1.0437)
    assert time.process_time() - began < 0.5


def test_a_room_is_what_was_asked_for() -> None:
    sound = np.zeros(RATE_HZ, np.float32)
    sound[1000] = 1.0
    room = reverberate(sound, np.random.default_rng(0), 0.4, 6.0)
    assert np.abs(room[:1000]).max() < 1e-4, "nothing before the sound itself"
    assert np.argmax(np.abs(room)) == 1000
    assert 10 * np.log10(room[1000] ** 2 / (room[1001:] ** 2).sum()) == pytest.approx(6.0, abs=0.1)
    # The energy that is still to come falls by 30 dB in half of the time.
    left = 10 * np.log10(np.cumsum(room[::-1].astype(np.float64) ** 2)[::-1][1200:5400])
    slope_db = np.polyfit(np.arange(len(left)) / RATE_HZ, left, 1)[0]
    assert -60 / slope_db == pytest.approx(0.4, rel=0.15)
    assert _level(room) == pytest.approx(_level(sound), rel=1e-3)
    # The room answers every sample alike: what it makes of a voice is a convolution.
    voice = _voice(0)
    dry = np.zeros(len(voice), np.float32)
    dry[0] = 1.0
    heard, answer = (reverberate(one, np.random.default_rng(0), 0.4, 6.0) for one in (voice, dry))
    wanted = fftconvolve(voice, answer)[: len(voice)]
    assert heard / _level(heard) == pytest.approx(wanted / _level(wanted), abs=1e-4)


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
@pytest.mark.parametrize("kind", ["coloured", "hum", "babble", "music"])
def test_noise_is_as_loud_as_asked(kind: str, snr_db: float) -> None:
    rng, sound = np.random.default_rng(0), _voice(0)
    length = len(sound)
    background = {
        "coloured": lambda: coloured(length, rng),
        "hum": lambda: hum(length, rng),
        "babble": lambda: babble(length, rng, [_voice(1), _voice(2, seconds=0.7)]),
        "music": lambda: music(length, rng),
    }[kind]()
    added = mixed(sound, background, snr_db) - sound
    assert 20 * np.log10(_level(sound) / _level(added)) == pytest.approx(snr_db, abs=0.01)


def test_every_background_is_drawn_about_equally_often(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    for name in ("coloured", "hum", "babble", "music"):

        def made(length: int, *_: object, name: str = name) -> np.ndarray:
            drawn.append(name)
            return np.ones(length, np.float32)

        monkeypatch.setattr(f"talkcli.engine.audio.augment.{name}", made)
    for seed in range(200):
        augment(_voice(0), np.random.default_rng(seed), AugmentConfig(noise=1.0))
    counts = [drawn.count(name) for name in ("coloured", "hum", "babble", "music")]
    assert sum(counts) == 200
    assert min(counts) > 30


def test_a_band_ends_where_it_should() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[8000] = 1.0
    kept = band_limit(click, 300.0, 3400.0)
    db = 20 * np.log10(np.abs(np.fft.rfft(kept)) + 1e-9)
    assert db[[300, 3400]] == pytest.approx(-3.0, abs=0.2)
    assert abs(db[1000]) < 0.1
    assert db[100] < -30
    assert db[6000] < -30
    assert kept[7900:8000] == pytest.approx(kept[8100:8000:-1], abs=1e-5), "no delay"


def test_an_equaliser_stays_in_its_range() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[8000] = 1.0
    for seed in range(5):
        db = 20 * np.log10(np.abs(np.fft.rfft(colour(click, np.random.default_rng(seed), 8.0))))
        assert np.abs(db).max() < 8.5
        assert np.ptp(db) > 3


def test_eight_bits_cost_little_of_what_is_loud_and_clipping_flattens() -> None:
    sound = np.linspace(-1, 1, 999, dtype=np.float32)
    coded = mu_law(sound)
    assert len(np.unique(coded)) <= 256
    assert np.abs(coded - sound).max() < 0.03
    assert np.abs(coded - sound)[np.abs(sound) < 0.01].max() < 0.001
    for how in ("hard", "soft"):
        bent = clip(sound, 0.25, how)
        assert np.abs(bent).max() <= 0.25 + 1e-6
        assert (np.diff(bent) >= 0).all()
    assert (clip(sound, 0.25, "hard")[450:550] == sound[450:550]).all()


def test_nothing_happens_by_default() -> None:
    sound = _voice(0)
    assert augment(sound, np.random.default_rng(0), AugmentConfig()) is sound


def test_chance_follows_the_generator() -> None:
    sound = _voice(0)
    first, again, other = (augment(sound, np.random.default_rng(seed), EVERYTHING) for seed in (3, 3, 4))
    assert (first == again).all()
    assert not np.allclose(first, other)
    assert (sound == _voice(0)).all(), "what was given stays as it was"


@pytest.mark.parametrize("length", [1, 2, 100, 640, 3000])
@pytest.mark.parametrize("silent", [True, False])
def test_short_and_silent_sound_works(length: int, silent: bool) -> None:
    sound = np.zeros(length, np.float32) if silent else _voice(0)[5000 : 5000 + length]
    for seed in range(12):
        changed = augment(sound, np.random.default_rng(seed), EVERYTHING)
        assert changed.shape == sound.shape
        assert changed.dtype == np.float32
        assert np.isfinite(changed).all()
        assert np.abs(changed).max() <= (0 if silent else 1)


def test_sound_never_passes_full_scale() -> None:
    loud = _voice(0) * 3.3
    config = AugmentConfig(gain=1, gain_db=(20.0, 20.0))
    assert np.abs(augment(loud, np.random.default_rng(0), config)).max() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "wrong", [{"pitch": 1.5}, {"noise": -0.1}, {"pitch_factor": (0.1, 1.0)}, {"rt60_s": (0.0, 0.5)}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        AugmentConfig(**wrong)
