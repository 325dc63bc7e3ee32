"""What is heard in some channel is heard in the one that is made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.engine.audio.sounds import RATE_HZ, babble, complaint, encoded, read

VOICE = babble(1.0)
OTHER = babble(1.0, seed=5)


def noise(seed: int, level: float = 0.003) -> np.ndarray:
    return level * np.random.default_rng(seed).standard_normal(len(VOICE))


def inverted(lowest_hz: float, highest_hz: float) -> np.ndarray:
    """The voice with a part of its spectrum upside down."""
    spectrum = np.fft.rfft(VOICE)
    frequencies = np.fft.rfftfreq(len(VOICE), 1 / RATE_HZ)
    spectrum[(frequencies >= lowest_hz) & (frequencies < highest_hz)] *= -1
    return np.fft.irfft(spectrum, len(VOICE))


def delayed(milliseconds: float) -> np.ndarray:
    return np.interp(np.arange(len(VOICE)) - milliseconds * RATE_HZ / 1000, np.arange(len(VOICE)), VOICE)


def later_inverted(share: float) -> np.ndarray:
    sign = np.ones(len(VOICE))
    sign[int((1 - share) * len(VOICE)) :] = -1
    return sign * VOICE


MUSIC = np.convolve(np.random.default_rng(4).standard_normal(len(VOICE)), np.ones(20) / 20, "same") * 0.3
SILENCE = 0 * VOICE
CANCELLING = {
    "opposite": (VOICE, -VOICE),
    "opposite, 6 dB less": (VOICE, -0.5 * VOICE),
    "opposite, 12 dB less": (VOICE, -0.25 * VOICE),
    "opposite, noisy": (VOICE + noise(1), -VOICE + noise(2)),
    "opposite, offset": (VOICE + 0.1, 0.1 - VOICE),
    "opposite, in the second half": (VOICE, later_inverted(0.5)),
    "opposite, in the last third": (VOICE, later_inverted(0.35)),
    "opposite, four": (VOICE, -VOICE, VOICE, -VOICE),
    "opposite, three": (VOICE, -VOICE, 0.1 * VOICE),
    **{
        f"upside down from {low} to {high} Hz": (VOICE, inverted(low, high))
        for low, high in [
            (0, 400),
            (100, 600),
            (300, 900),
            (500, 1500),
            (700, 3000),
            (1000, 2000),
            (1000, 8000),
            (2000, 4000),
        ]
    },
    **{
        f"{milliseconds} ms later": (VOICE, delayed(milliseconds))
        for milliseconds in (0.125, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 12, 16, 20)
    },
    **{
        f"{milliseconds} ms later, inverted": (VOICE, -delayed(milliseconds)) for milliseconds in (0.25, 1, 5)
    },
    **{
        f"{milliseconds} ms later, quieter": (VOICE, 0.7 * delayed(milliseconds))
        for milliseconds in (0.25, 1, 5)
    },
    "film": (MUSIC, np.roll(MUSIC, 99), VOICE, 0.1 * MUSIC, MUSIC[::-1], np.roll(MUSIC, 300)),
    "film, two more": (MUSIC, MUSIC, VOICE, SILENCE, MUSIC, MUSIC, MUSIC[::-1], MUSIC),
    "film, quiet voice": (MUSIC, np.roll(MUSIC, 99), 0.3 * VOICE, SILENCE, MUSIC[::-1], SILENCE),
    "film, without bass": (MUSIC, np.roll(MUSIC, 99), VOICE, MUSIC[::-1], np.roll(MUSIC, 300)),
}


@pytest.mark.parametrize("name", list(CANCELLING))
def test_a_voice_that_would_cancel_is_taken_from_one_channel(tmp_path: Path, name: str) -> None:
    channels = np.stack(CANCELLING[name], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, RATE_HZ, subtype="FLOAT")
    speech, warnings = read(tmp_path / "a.wav")
    likeness = [abs(np.corrcoef(speech.samples, channel)[0, 1]) for channel in channels.T if channel.any()]
    assert max(likeness) > 0.9999
    # Of a film that is the voice alone.
    assert len(channels.T) < 5 or np.argmax(likeness) == (2 if channels[:, 1].any() else 0)
    assert warnings == []


AGREEING: dict[str, tuple[np.ndarray, ...]] = {
    "one": (VOICE,),
    "the same": (VOICE, VOICE),
    "the same, quieter": (VOICE, 0.3 * VOICE),
    "the same, noisy": (VOICE + noise(1), VOICE + noise(2)),
    "one hums": (VOICE, 0.01 * np.sin(np.arange(len(VOICE)) * 2 * np.pi * 50 / RATE_HZ)),
    "one hisses": (VOICE, noise(3)),
    "two voices": (VOICE, OTHER),
    "two voices across": (VOICE + 0.3 * OTHER, 0.3 * VOICE + OTHER),
    "voice and music": (VOICE, MUSIC),
    "four": (VOICE, VOICE, OTHER, OTHER),
    "six of one": (VOICE,) * 6,
    "silence": (SILENCE, SILENCE),
}


@pytest.mark.parametrize("name", list(AGREEING))
def test_channels_that_agree_are_averaged_to_the_bit(tmp_path: Path, name: str) -> None:
    channels = np.stack(AGREEING[name], axis=1).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", channels, RATE_HZ, subtype="FLOAT")
    expected = channels.mean(axis=1, dtype=np.float32)
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[0].samples, expected)


SPIKE = np.where(np.arange(len(VOICE)) == 100, np.nan, 0)
PARTLY_DEAD: dict[str, tuple[np.ndarray, ...]] = {
    "one dead": (VOICE, SILENCE),
    "the first dead": (SILENCE, VOICE),
    "one of sixteen": (*[SILENCE] * 7, VOICE, *[SILENCE] * 8),
    "one of sixteen that rustle": (*[noise(3, 1e-5)] * 7, VOICE, *[noise(4, 1e-5)] * 8),
    "two of four": (VOICE, SILENCE, OTHER, SILENCE),
    "no numbers in silence": (VOICE, SPIKE),
    "six, centre alone": (SILENCE, SILENCE, VOICE, SILENCE, SILENCE, SILENCE),
    "six, centre dead": (VOICE, VOICE, SILENCE, SILENCE, 0.5 * VOICE, 0.5 * VOICE),
}


@pytest.mark.parametrize("name", list(PARTLY_DEAD))
def test_channels_without_sound_are_left_out(tmp_path: Path, name: str) -> None:
    channels = np.stack(PARTLY_DEAD[name], axis=1).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", channels, RATE_HZ, subtype="FLOAT")
    sounding = channels[:, np.nanmax(np.abs(channels), axis=0) > 1e-3]
    expected = sounding.mean(axis=1, dtype=np.float32)
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[0].samples, expected)


def test_no_numbers_in_a_channel_that_is_heard_are_refused(tmp_path: Path) -> None:
    channels = np.stack([VOICE, OTHER + SPIKE], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, RATE_HZ, subtype="FLOAT")
    assert "not a finite number" in (complaint(tmp_path / "a.wav") or "")


REST = np.zeros(5 * RATE_HZ)
HUM = np.sin(2 * np.pi * 150 * np.arange(2 * len(VOICE) + len(REST)) / RATE_HZ)
LEFT = np.concatenate([VOICE, REST, SILENCE])
RIGHT = np.concatenate([SILENCE, REST, 0.8 * OTHER])


@pytest.mark.parametrize("hum", [0.0005, 0.001, 0.004])
def test_two_speakers_are_both_heard_over_a_hum_of_opposite_phase(tmp_path: Path, hum: float) -> None:
    channels = np.stack([LEFT + hum * HUM, RIGHT - hum * HUM], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, RATE_HZ, subtype="FLOAT")
    heard = read(tmp_path / "a.wav")[0].samples
    first, second = heard[: len(VOICE)], heard[-len(VOICE) :]
    assert np.corrcoef(first, VOICE)[0, 1] > 0.8
    assert np.corrcoef(second, OTHER)[0, 1] > 0.8


@pytest.mark.parametrize("alike_s", [0.0, 3.3])
def test_a_part_that_cancels_costs_neither_speaker(tmp_path: Path, alike_s: float) -> None:
    both = np.concatenate([VOICE] * 3)
    start = np.tile(VOICE, 4)[: round(alike_s * RATE_HZ)]
    left, right = (
        np.concatenate([start, REST, *parts]) for parts in ((LEFT, REST, both), (RIGHT, REST, -both))
    )
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), RATE_HZ, subtype="FLOAT")
    heard = read(tmp_path / "a.wav")[0].samples[len(start) + len(REST) :]
    for at, voice in ((0, VOICE), (len(VOICE) + len(REST), OTHER), (len(LEFT) + len(REST), both)):
        part = heard[at : at + len(voice)]
        assert abs(np.corrcoef(part, voice)[0, 1]) > 0.9
        assert np.sqrt(np.mean(part**2)) > 0.3 * np.sqrt(np.mean(voice**2))


@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.2, 0.4])
def test_short_sound_is_not_lost_either(tmp_path: Path, seconds: float) -> None:
    voice = VOICE[4000 : 4000 + round(seconds * RATE_HZ)]
    soundfile.write(tmp_path / "a.wav", np.stack([voice, -voice], axis=1), RATE_HZ, subtype="FLOAT")
    np.testing.assert_array_equal(np.abs(read(tmp_path / "a.wav")[0].samples), np.abs(voice))


@pytest.mark.parametrize(
    ("name", "rate_hz"), [("a.flac", 48_000), ("a.m4a", 44_100), ("a.opus", 48_000), ("a.mp3", 44_100)]
)
def test_opposite_channels_of_every_decoder(tmp_path: Path, name: str, rate_hz: int) -> None:
    voice = babble(0.6, rate_hz)
    options = ("-b:a", "192k") if name != "a.flac" else ()
    path = encoded(tmp_path, name, np.stack([voice, -voice], axis=1), *options, rate_hz=rate_hz)
    heard, warnings = read(path)
    assert warnings == []
    assert np.sqrt(np.mean(heard.samples**2)) == pytest.approx(float(np.sqrt(np.mean(voice**2))), rel=0.1)
