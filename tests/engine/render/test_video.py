"""Lengths, bytes and contents of videos, read back by ffmpeg; and what is left after failures: nothing."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.errors import TalkError, UsageError
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.render import video
from talkcli.engine.render.video import write_sound, write_video
from talkcli.engine.types import Silent, Speech

SIZE = (64, 48)


def _frames(count: int) -> Iterator[np.ndarray]:
    for index in range(count):
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        picture[:, : 2 + index % 60] = (200, 60, 30)
        yield picture


def _speech(duration_s: float) -> Speech:
    time_s = np.arange(round(duration_s * 16_000)) / 16_000
    return Speech(samples=(0.3 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32))


def _write(path: Path, count: int = 30, fps: float = 25.0, speech: Speech | None = None) -> None:
    write_video(
        path,
        _frames(count),
        num_frames=count,
        fps=fps,
        size=SIZE,
        speech=speech,
        metadata={"seed": 7, "text": "ä = 1; 2"},
        reporter=Silent(),
    )


def _decoded(path: Path, *options: str) -> bytes:
    command = [ffmpeg_binary(), "-v", "error", "-i", str(path), *options, "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _log(path: Path) -> str:
    return subprocess.run(
        [ffmpeg_binary(), "-i", str(path)], capture_output=True, check=False
    ).stderr.decode()


@pytest.mark.parametrize("fps", [25.0, 29.97, 60.0])
@pytest.mark.parametrize("sound_s", [0.4, 1.2, 5.0])
def test_sound_and_pictures_last_equally_long(tmp_path: Path, fps: float, sound_s: float) -> None:
    path, count = tmp_path / "x.mp4", round(1.2 * fps)
    _write(path, count, fps, _speech(sound_s))
    frames = len(_decoded(path, "-f", "rawvideo", "-pix_fmt", "gray")) / (SIZE[0] * SIZE[1])
    samples = len(_decoded(path, "-vn", "-f", "s16le", "-ar", "48000")) / 2
    assert frames == count
    assert abs(samples / 48_000 - count / fps) < 1 / fps


def test_players_find_h264_yuv420p_aac_and_what_made_it(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    _write(path, speech=_speech(1.2))
    log = _log(path)
    assert re.search(r"Video: h264.*yuv420p\(tv, bt709", log)
    assert "Audio: aac" in log
    comment = re.search(r"comment\s*: (.*)", log)
    assert comment is not None
    assert json.loads(comment.group(1)) == {"seed": 7, "text": "ä = 1; 2"}
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "playing starts before all is loaded"


def test_pictures_keep_their_place_and_colour(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    _write(path)
    pictures = np.frombuffer(_decoded(path, "-f", "rawvideo", "-pix_fmt", "rgb24"), np.uint8)
    pictures = pictures.reshape(30, SIZE[1], SIZE[0], 3)
    np.testing.assert_allclose(pictures[20, :, 4:16].mean(axis=(0, 1)), (200, 60, 30), atol=6)
    np.testing.assert_allclose(pictures[20, :, 30:].mean(axis=(0, 1)), (0, 0, 0), atol=6)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mov", ".gif"])
def test_equal_input_gives_equal_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        _write(tmp_path / f"{name}{suffix}", speech=_speech(1.0))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("suffix", "pictures", "sound"),
    [
        (".webm", r"Video: vp9.*yuv420p\(tv, bt709", "Audio: opus"),
        (".mov", r"Video: prores \(4444\)", "Audio: pcm_s16le"),
    ],
)
def test_other_films_have_their_codecs(tmp_path: Path, suffix: str, pictures: str, sound: str) -> None:
    path = tmp_path / f"x{suffix}"
    _write(path, speech=_speech(1.2))
    log = _log(path)
    assert re.search(pictures, log)
    assert sound in log
    heard = np.frombuffer(_decoded(path, "-vn", "-f", "f32le", "-ar", "16000", "-ac", "1"), np.float32)
    assert abs(len(heard) / 16_000 - 1.2) < 0.04
    # The loudest frequency is that of the speech.
    spectrum = np.abs(np.fft.rfft(heard[4000:12_000]))
    assert int(spectrum.argmax()) * 2 == 440


def _seen_through(count: int) -> Iterator[np.ndarray]:
    """An opaque left half, a right half that is half transparent above and quite transparent below."""
    for index in range(count):
        picture = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
        picture[..., :3] = (200, 60, 30 + index)
        picture[:, :32, 3] = 255
        picture[:24, 32:, 3] = 128
        yield picture


@pytest.mark.parametrize(
    ("suffix", "options", "half"),
    # ffmpeg's own decoder of VP9 leaves out alpha. A GIF has pixels or none.
    [(".webm", ("-c:v", "libvpx-vp9"), 128), (".mov", (), 128), (".gif", (), 255)],
)
def test_alpha_is_what_was_drawn(tmp_path: Path, suffix: str, options: tuple[str, ...], half: int) -> None:
    path = tmp_path / f"x{suffix}"
    write_video(
        path, _seen_through(10), num_frames=10, fps=25.0, size=SIZE, speech=None, metadata={},
        reporter=Silent(), alpha=True,
    )  # fmt: skip
    command = [ffmpeg_binary(), "-v", "error", *options, "-i", str(path), "-f", "rawvideo"]
    raw = subprocess.run([*command, "-pix_fmt", "rgba", "-"], capture_output=True, check=True).stdout
    pictures = np.frombuffer(raw, np.uint8).reshape(10, SIZE[1], SIZE[0], 4)
    alpha = pictures[..., 3].astype(int)
    assert np.abs(alpha[:, 4:20, 4:28] - 255).max() <= 2
    assert np.abs(alpha[:, 4:20, 36:60] - half).max() <= 4
    assert alpha[:, 28:44, 36:60].max() <= 2
    assert np.abs(pictures[5, 4:44, 4:28, :3].mean(axis=(0, 1)) - (200, 60, 35)).max() < 8


def test_h264_has_no_alpha(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no transparency") as refused:
        write_video(
            tmp_path / "x.mp4", iter(()), num_frames=0, fps=25.0, size=SIZE, speech=None, metadata={},
            reporter=Silent(), alpha=True,
        )  # fmt: skip
    assert ".webm" in str(refused.value.hint)


def test_gifs_above_50_fps_leave_out_pictures(tmp_path: Path) -> None:
    _write(tmp_path / "x.gif", 60, 60.0)
    assert "50 fps" in _log(tmp_path / "x.gif")
    with Image.open(tmp_path / "x.gif") as film:
        shown_ms = []
        for index in range(film.n_frames):
            film.seek(index)
            shown_ms.append(film.info["duration"])
        assert film.info["loop"] == 0
    assert min(shown_ms) >= 20
    assert sum(shown_ms) == pytest.approx(1000, abs=20)


def test_without_speech_there_is_no_sound_track(tmp_path: Path) -> None:
    _write(tmp_path / "x.mp4")
    assert "Audio" not in _log(tmp_path / "x.mp4")


def test_sound_is_cut_or_filled_up_to_the_frames(tmp_path: Path) -> None:
    speech = _speech(1.0)
    write_sound(tmp_path / "long", speech, 50, 25.0)
    filled = np.fromfile(tmp_path / "long", "<f4")
    assert len(filled) == 32_000
    np.testing.assert_array_equal(filled[:16_000], speech.samples)
    assert not filled[16_000:].any()
    write_sound(tmp_path / "short", speech, 10, 25.0)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "short", "<f4"), speech.samples[:6400])


def test_odd_sizes_are_refused_with_the_next_even_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_video(
            tmp_path / "x.mp4", iter(()), num_frames=0, fps=25.0, size=(65, 65), speech=None, metadata={},
            reporter=Silent(),
        )  # fmt: skip
    assert "66" in str(caught.value.hint)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, MemoryError])
def test_a_failure_while_drawing_leaves_no_file_and_no_process(
    tmp_path: Path, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(*args: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(real(*args, **options))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(video.subprocess, "Popen", start)

    def failing() -> Iterator[np.ndarray]:
        yield from _frames(3)
        raise error

    earlier = tmp_path / "x.mp4"
    earlier.write_bytes(b"what was there before")
    with pytest.raises(error):
        write_video(
            earlier,
            failing(),
            num_frames=30,
            fps=25.0,
            size=SIZE,
            speech=_speech(1),
            metadata={},
            reporter=Silent(),
        )
    assert earlier.read_bytes() == b"what was there before"
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]
    assert [process.poll() is not None for process in started] == [True]


@pytest.mark.parametrize("reads", [0, 2_000_000], ids=["at once", "after a while"])
def test_an_encoder_that_dies_is_reported_in_its_own_words(
    tmp_path: Path, reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text(
        f"#!/bin/sh\nhead -c {reads} > /dev/null\necho one >&2\necho 'No space left on device' >&2\nexit 3\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(video, "ffmpeg_binary", lambda: str(script))
    folder = tmp_path / "out"
    with pytest.raises(TalkError, match=r"exit code 3.*No space left on device"):
        _write(folder / "x.mp4", count=400)
    assert list(folder.iterdir()) == []


def test_too_few_frames_are_a_bug_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="3 frames came, 9 were announced"):
        write_video(
            tmp_path / "x.mp4", _frames(3), num_frames=9, fps=25.0, size=SIZE, speech=None, metadata={},
            reporter=Silent(),
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        _write(tmp_path / "x.mp4")
