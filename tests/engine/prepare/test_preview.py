"""The preview is a video that players take, and the head in it stands where the face does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import InputError
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.prepare.preview import write_preview
from talkcli.engine.types import Silent, Speech
from talkcli.engine.video.overlay import PANEL, SIZE, View
from tests.engine.video.made_fit import made_film, made_fit


def film_file(path: Path, width: int, height: int, frames: int) -> Path:
    """A grey video without sound."""
    command = [
        ffmpeg_binary(), "-v", "error", "-y", "-f", "lavfi", "-i", f"color=gray:s={width}x{height}:r=25",
        "-frames:v", str(frames), "-pix_fmt", "yuv420p", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def pictures_of(path: Path) -> np.ndarray:
    command = [ffmpeg_binary(), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3)


def test_a_preview_has_every_frame_and_the_sound(tmp_path: Path) -> None:
    track, fit = made_fit(180, 320, unseen=(3,))
    film = made_film(film_file(tmp_path / "film.mp4", 180, 320, 6), track)
    speech = Speech(samples=0.5 * np.sin(np.arange(3840) * 0.3).astype(np.float32))
    out = tmp_path / "preview" / "film.mp4"
    write_preview(out, film, track, fit, speech)
    pictures = pictures_of(out)
    assert len(pictures) == 6
    sound = read_speech(out, Silent())
    assert sound.duration_s == pytest.approx(0.24, abs=0.05)
    assert np.abs(sound.samples).max() > 0.3
    assert [path.name for path in out.parent.iterdir()] == ["film.mp4"]

    # The head covers the box of its vertices: skin and hair are warm, the wall behind them is not.
    head = pictures[0][:PANEL, PANEL:].astype(int)
    covered = head[..., 0] > head[..., 2] + 4
    vertices = View.of(track).on_panel(fit.vertices_in_picture(0))[:, :2]
    rows = np.flatnonzero(covered.any(axis=1))
    columns = np.flatnonzero(covered.any(axis=0))
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    assert np.abs([columns[0] - low[0], rows[0] - low[1]]).max() < 6
    assert np.abs([columns[-1] - high[0], rows[-1] - high[1]]).max() < 6


def test_a_film_that_has_changed_leaves_nothing(tmp_path: Path) -> None:
    track, fit = made_fit(180, 320)
    film = made_film(film_file(tmp_path / "film.mp4", 180, 320, 4), track)
    with pytest.raises(InputError, match="4 pictures, but had 6"):
        write_preview(tmp_path / "preview.mp4", film, track, fit, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4"]
