"""What is measured of a recording is what was done to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.audio.io import read_measured, read_speech
from talkcli.engine.audio.limits import LONGEST_ENV, limit_sound
from talkcli.engine.audio.quality import SoundQuality
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.types import Silent
from tests.engine.audio.sounds import RATE_HZ, babble, complaint, encoded, read
from tests.engine.fakes import Told

SPEECH = babble(3.0) * np.repeat([1, 0.01, 1, 1, 0.01, 1], 8000).astype(np.float32)


def measured(path: Path, samples: np.ndarray, rate_hz: int = RATE_HZ) -> tuple[SoundQuality, list[str]]:
    soundfile.write(path, samples, rate_hz, subtype="FLOAT" if path.suffix == ".wav" else None)
    listener = Told()
    return read_measured(path, listener)[1], listener.warnings


def test_clean_speech_is_not_warned_of(tmp_path: Path) -> None:
    quality, warnings = measured(tmp_path / "a.wav", SPEECH)
    assert warnings == []
    assert quality.snr_db is not None and quality.snr_db > 25
    assert quality.level_dbfs == pytest.approx(10 * np.log10(np.mean(SPEECH**2)), abs=0.1)
    assert quality.peak_dbfs == pytest.approx(20 * np.log10(np.abs(SPEECH).max()), abs=0.1)
    assert quality.clipped == 0
    assert abs(quality.offset) < 0.002


@pytest.mark.parametrize("colour", ["white", "brown"])
@pytest.mark.parametrize("snr_db", [0, 5, 10, 15, 20])
def test_noise_is_measured_to_two_decibels(tmp_path: Path, snr_db: float, colour: str) -> None:
    noise = np.random.default_rng(1).standard_normal(len(SPEECH))
    if colour == "brown":
        noise = np.convolve(noise, 0.9 ** np.arange(40), "same")
    noise *= np.sqrt(np.mean(SPEECH**2) / np.mean(noise**2) / 10 ** (snr_db / 10))
    quality, warnings = measured(tmp_path / "a.wav", SPEECH + noise)
    assert quality.snr_db == pytest.approx(snr_db, abs=2)
    assert any("above the noise" in warning for warning in warnings) == (snr_db <= 10)


@pytest.mark.parametrize("share", [0.003, 0.03])
def test_clipping_is_counted(tmp_path: Path, share: float) -> None:
    limit = np.quantile(np.abs(SPEECH), 1 - share)
    quality, warnings = measured(tmp_path / "a.wav", np.clip(SPEECH / limit, -1, 1))
    assert share / 4 < quality.clipped <= 1.05 * share
    assert any("clipped" in warning for warning in warnings) == (quality.clipped > 0.001)


LOUD = np.clip(SPEECH / np.quantile(np.abs(SPEECH), 0.9), -1, 1)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "PCM_24", "ULAW", "ALAW", "FLOAT"])
@pytest.mark.parametrize("channels", [(LOUD,), (LOUD, 0 * LOUD), (0.2 * SPEECH, LOUD), (LOUD, -LOUD)])
def test_clipping_is_counted_in_every_format_and_channel(
    tmp_path: Path, subtype: str, channels: tuple[np.ndarray, ...]
) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack(channels, axis=1), RATE_HZ, subtype=subtype)
    listener = Told()
    quality = read_measured(tmp_path / "a.wav", listener)[1]
    assert 0.05 < quality.clipped < 0.12
    assert any("clipped" in warning for warning in listener.warnings)


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW", "ALAW"])
@pytest.mark.parametrize("peak", [0.5, 0.9, 0.99])
def test_loud_speech_is_not_clipped(tmp_path: Path, subtype: str, peak: float) -> None:
    soundfile.write(tmp_path / "a.wav", SPEECH / np.abs(SPEECH).max() * peak, RATE_HZ, subtype=subtype)
    listener = Told()
    assert read_measured(tmp_path / "a.wav", listener)[1].clipped < 1e-3


def test_a_telephone_is_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", babble(3.0, 8000), 8000)
    listener = Told()
    quality = read_measured(tmp_path / "a.wav", listener)[1]
    assert quality.bandwidth_hz < 4200
    assert "telephone" in listener.warnings[0]


@pytest.mark.parametrize("offset", [-0.5, -0.2, 0.02, 0.2, 0.4])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_an_offset_is_taken_away_and_told(tmp_path: Path, offset: float, rate_hz: int) -> None:
    clean = 0.5 * babble(1.0, rate_hz)
    soundfile.write(tmp_path / "clean.wav", clean, rate_hz, subtype="FLOAT")
    soundfile.write(tmp_path / "a.wav", clean + offset, rate_hz, subtype="FLOAT")
    listener = Told()
    speech, quality = read_measured(tmp_path / "a.wav", listener)
    assert quality.offset == pytest.approx(offset, abs=0.003)
    # At its ends the resampler takes the offset for a step.
    middle = slice(400, -400)
    expected = read(tmp_path / "clean.wav")[0].samples
    np.testing.assert_allclose(speech.samples[middle], expected[middle], atol=0.004)
    assert f"offset of {offset:.2f}" in listener.warnings[0]


def test_sound_without_an_offset_keeps_its_bits(tmp_path: Path) -> None:
    samples = babble(1.0) + np.float32(0.009)
    soundfile.write(tmp_path / "a.wav", samples, RATE_HZ, subtype="FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[0].samples, samples)


def test_silence_and_short_sound_have_no_noise(tmp_path: Path) -> None:
    assert measured(tmp_path / "a.wav", 0 * SPEECH)[0].snr_db is None
    assert measured(tmp_path / "a.wav", SPEECH[:1000])[0].snr_db is None


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.m4a", "a.aiff"])
def test_more_minutes_than_allowed_are_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encoded(tmp_path, name, babble(2.0))
    monkeypatch.setenv(LONGEST_ENV, "1")
    limit_sound(None)
    assert complaint(path) is None
    limit_sound(0.02)
    assert "the limit of 0.02" in (complaint(path) or "")


@pytest.mark.parametrize("stated", [True, False])
def test_silence_that_takes_no_space_is_limited(
    tmp_path: Path, stated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 hours of silence take 665 kB as FLAC and would take 23 GB as samples."""
    soundfile.write(tmp_path / "a.flac", np.zeros(90 * 8000, np.int16), 8000)
    content = (tmp_path / "a.flac").read_bytes()
    if not stated:
        info = int.from_bytes(content[18:26], "big") >> 36 << 36
        (tmp_path / "a.flac").write_bytes(content[:18] + info.to_bytes(8, "big") + content[26:])
    assert complaint(tmp_path / "a.flac") is None
    monkeypatch.setenv(LONGEST_ENV, "1")
    problem = complaint(tmp_path / "a.flac") or ""
    assert (
        "is stated to last 1.5 minutes" if stated else "lasts longer than the limit of 1 minutes"
    ) in problem


@pytest.mark.parametrize("value", ["-1", "0", "nan", "inf", "four"])
def test_a_limit_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    soundfile.write(tmp_path / "a.wav", babble(0.2), RATE_HZ)
    monkeypatch.setenv(LONGEST_ENV, value)
    with pytest.raises(UsageError, match=LONGEST_ENV):
        read_speech(tmp_path / "a.wav", Silent())


@pytest.mark.data
def test_clean_recordings_are_not_warned_of(shared_data: Path) -> None:
    files = [
        path
        for folder in ("speech/a2f", "speech/ljspeech", "speech/librispeech_many")
        for path in sorted((shared_data / folder).rglob("*.*"))[:12]
        if path.suffix in (".wav", ".flac", ".opus", ".ogg", ".mp3")
    ]
    assert len(files) > 20
    listener = Told()
    for path in files:
        read_measured(path, listener)
    assert listener.warnings == []


def test_the_hint_names_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", babble(2.0), RATE_HZ)
    monkeypatch.setenv(LONGEST_ENV, "0.01")
    with pytest.raises(InputError) as caught:
        read_speech(tmp_path / "a.wav", Silent())
    assert "`max_minutes`" in (caught.value.hint or "")
