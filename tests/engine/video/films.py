"""Small videos for tests, made by the ffmpeg that reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from talkcli.engine.ffmpeg import ffmpeg_binary

WIDTH, HEIGHT = 64, 48


def ffmpeg(*arguments: object) -> None:
    """Run it; its complaints are the test's failure."""
    command = [ffmpeg_binary(), "-nostdin", "-y", "-v", "error", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def write_film(
    path: Path, *options: object, fps: object = 25, num_frames: int = 25, sound: bool = True
) -> Path:
    """`num_frames` pictures, each as bright as `brightness` says, and a tone of the same length."""
    raw = path.with_suffix(".raw")
    raw.write_bytes(b"".join(bytes([brightness(i)]) * (WIDTH * HEIGHT * 3) for i in range(num_frames)))
    arguments = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", fps, "-i", raw]
    if sound:
        seconds = num_frames / (fps if isinstance(fps, int | float) else 30)
        arguments += ["-f", "lavfi", "-i", f"sine=frequency=300:duration={seconds}"]
    ffmpeg(*arguments, "-pix_fmt", "yuv420p", *options, path)
    raw.unlink()
    return path


def brightness(index: int) -> int:
    """Tells the pictures of a second apart."""
    return 20 + 8 * (index % 25)


def index_of(picture: np.ndarray) -> int:
    """The inverse, for the first 25 pictures."""
    return round((float(picture.mean()) - 20) / 8)
