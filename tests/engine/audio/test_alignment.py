"""Sound keeps its place in time through every codec."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.audio.sounds import RATE_HZ, babble, encoded, lag_s, read

# Codecs with delays of their own, in files that say nothing of it, and in files that do.
ALIGNED: dict[str, tuple[str, ...]] = {
    "a.aac": (), "a.m4a": (), "a.mp3": (), "bare.mp3": ("-write_xing", "0", "-id3v2_version", "0"),
    "a.ogg": (), "a.opus": (), "a.webm": (), "a.wma": (), "v1.wma": ("-c:a", "wmav1"), "a.ac3": (),
    "a.eac3": (), "a.mp2": (), "a.ts": (), "aac.ts": ("-c:a", "aac"), "a.flac": (), "a.mka": ("-c:a", "aac"),
    "a.avi": ("-c:a", "aac"), "a.latm": ("-c:a", "aac", "-f", "latm"), "a.mpg": (), "a.wv": (), "a.tta": (),
    "a.dts": ("-strict", "-2"), "a.amr": ("-ar", "8000"), "mp3.wav": ("-c:a", "libmp3lame"),
    "wma.wav": ("-c:a", "wmav2"), "opus.ts": ("-c:a", "libopus"), "g722.wav": ("-c:a", "g722"),
    "opus.mp4": ("-c:a", "libopus"),
}  # fmt: skip


# The delay of these depends on the rate.
BY_RATE = ["a.wma", "v1.wma", "bare.mp3", "a.aac", "a.opus", "a.mp2"]


@pytest.mark.parametrize(
    ("name", "rate_hz"),
    [
        *((name, 44_100) for name in ALIGNED),
        *((name, rate_hz) for name in BY_RATE for rate_hz in (16_000, 48_000)),
    ],
)
def test_decoded_sound_begins_when_the_original_did(tmp_path: Path, name: str, rate_hz: int) -> None:
    path = encoded(tmp_path, name, babble(0.7, rate_hz), *ALIGNED[name], rate_hz=rate_hz)
    assert abs(lag_s(read(path)[0].samples, babble(0.7))) < 0.006


def test_the_sound_of_a_film_keeps_its_place_beside_the_pictures(tmp_path: Path) -> None:
    film = encoded(
        tmp_path, "a.ts", babble(0.7), "-f", "lavfi", "-i", "testsrc=d=0.7:s=64x64", "-map", "0:a",
        "-map", "1:v", "-c:a", "aac",
    )  # fmt: skip
    # Its time stamps say that the sound begins a block early; what reads them would move it twice.
    assert lag_s(read(film)[0].samples, babble(0.7)) == pytest.approx(1024 / RATE_HZ, abs=0.002)
