"""Small sounds for tests, and files made of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import soundfile

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import InputError
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.types import Silent, Speech
from tests.engine.fakes import Told

RATE_HZ = 16_000


def babble(seconds: float = 0.8, rate_hz: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    """Something like speech: a voice whose pitch and loudness move, over a little noise; float32."""
    chance = np.random.default_rng(seed)
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch = 2 * np.pi * (120 * times + 6 * np.sin(2 * np.pi * 1.3 * times + chance.uniform(0, 6)))
    voice = sum(
        np.sin(k * pitch + chance.uniform(0, 6)) / k for k in range(1, 60) if 140 * k < 0.45 * rate_hz
    )
    loudness = 0.1 + np.abs(np.sin(2 * np.pi * 1.9 * times + chance.uniform(0, 3)))
    return (0.08 * loudness * voice + 1e-3 * chance.standard_normal(len(times))).astype(np.float32)


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(
        [ffmpeg_binary(), "-nostdin", "-v", "error", "-y", *map(str, arguments)],
        check=True,
        capture_output=True,
    )


def encoded(folder: Path, name: str, samples: np.ndarray, *options: str, rate_hz: int = RATE_HZ) -> Path:
    """`samples` in the file `name`, as ffmpeg encodes them with `options`."""
    soundfile.write(folder / "source.wav", samples, rate_hz, subtype="FLOAT")
    ffmpeg("-i", folder / "source.wav", *options, folder / name)
    return folder / name


def read(path: Path) -> tuple[Speech, list[str]]:
    """The speech in `path`, and what was warned of."""
    listener = Told()
    return read_speech(path, listener), listener.warnings


def complaint(path: Path) -> str | None:
    """What `path` is refused for, None when it is read."""
    try:
        read_speech(path, Silent())
    except InputError as error:
        assert len(error.problem) < 400
        return error.problem
    return None


def lag_s(heard: np.ndarray, original: np.ndarray) -> float:
    """Seconds by which `heard` comes later than `original`, both at 16 kHz, by their correlation."""
    size = len(heard) + len(original)
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(original, size))
    best = int(np.abs(np.fft.irfft(spectrum, size)).argmax())
    return (best if best < size // 2 else best - size) / RATE_HZ
