"""Pictures and sound to a film, by the bundled ffmpeg; `containers.py` says with which codecs.

Axis names: `frames`, `height`, `width`. The same pictures give the same bytes.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from talkcli.engine.errors import TalkError
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.files import atomic_path, temporary_folder
from talkcli.engine.lifetime import start_child, uninterrupted
from talkcli.engine.render.containers import CONTAINERS, check_alpha, check_size
from talkcli.engine.types import Reporter, Speech


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    num_frames: int,
    fps: float,
    size: tuple[int, int],
    speech: Speech | None,
    metadata: dict[str, Any],
    reporter: Reporter,
    alpha: bool = False,
) -> None:
    """Write `num_frames` sRGB pictures (height width 3, or with `alpha` 4, uint8) of `size` = (width, height)
    to `path`, whose suffix is one of `CONTAINERS`.

    The sound lasts as long as the pictures: it is cut, or filled up with silence. `metadata` goes into the
    file's comment as JSON; a GIF has none. On any failure nothing is left at `path` that was not there
    before, and ffmpeg is gone. Raises UsageError for sizes and alpha that the codec does not know, TalkError
    with ffmpeg's own words when it fails, and ValueError when `frames` are not what was announced.
    """
    suffix = path.suffix.lower()
    check_size(suffix, *size)
    if alpha:
        check_alpha(suffix)
    with (
        temporary_folder() as folder,
        (folder / "log").open("w+b") as log,
        atomic_path(path) as temporary,
    ):
        sound = None
        if speech is not None:
            sound = folder / "sound.f32"
            write_sound(sound, speech, num_frames, fps)
        command = _command(temporary, fps, size, sound, speech, metadata, alpha)
        process = None
        try:
            with uninterrupted():
                process = start_child(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
            _feed(process, frames, num_frames, (size[1], size[0], 4 if alpha else 3), reporter)
            code = process.wait()
        except BrokenPipeError:
            assert process is not None
            code = process.wait() or -1
        finally:
            if process is not None:
                _end(process)
        if code != 0:
            how = f"exit code {code}" if code > 0 else f"ended by {signal.Signals(-code).name}"
            raise TalkError(
                f"ffmpeg stopped while writing {path} ({how}): "
                f"{_last_line(log).replace(str(temporary), str(path))}",
                hint="Check the free space, the permissions of the folder and ulimit -f.",
            )


def write_sound(path: Path, speech: Speech, num_frames: int, fps: float) -> None:
    """Write raw float32 sound of exactly `num_frames` frames: cut, or filled up with silence."""
    length = round(num_frames * speech.rate_hz / fps)
    samples = speech.samples[:length].astype("<f4", copy=False)
    with path.open("wb") as file:
        samples.tofile(file)
        # A file that is made longer holds zeros there.
        file.truncate(length * samples.itemsize)


def _feed(
    process: subprocess.Popen[bytes],
    frames: Iterable[np.ndarray],
    num_frames: int,
    shape: tuple[int, int, int],
    reporter: Reporter,
) -> None:
    assert process.stdin is not None
    done = 0
    for picture in frames:
        if picture.shape != shape or picture.dtype != np.uint8:
            raise ValueError(f"frame {done} is {picture.dtype} {picture.shape}, the video is {shape}")
        process.stdin.write(np.ascontiguousarray(picture).data)
        done += 1
        reporter.progress("video", done, num_frames)
    if done != num_frames:
        raise ValueError(f"{done} frames came, {num_frames} were announced")
    process.stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    # What is still buffered has nowhere to go.
    with contextlib.suppress(BrokenPipeError):
        if process.stdin is not None:
            process.stdin.close()


def _command(
    path: Path,
    fps: float,
    size: tuple[int, int],
    sound: Path | None,
    speech: Speech | None,
    metadata: dict[str, Any],
    alpha: bool,
) -> list[str]:
    container = CONTAINERS[path.suffix.lower()]
    rate = Fraction(fps).limit_denominator(1001)
    layout = "rgba" if alpha else "rgb24"
    command = [
        ffmpeg_binary(), "-nostdin", "-hide_banner", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", layout, "-s", f"{size[0]}x{size[1]}", "-r", str(rate), "-i", "pipe:0",
    ]  # fmt: skip
    if sound is not None and speech is not None and container.sound is not None:
        command += ["-f", "f32le", "-ar", str(speech.rate_hz), "-ac", "1", "-i", f"file:{sound}"]
        command += container.sound
    command += [
        *container.pictures(alpha, fps), "-fflags", "+bitexact", *container.muxing,
        "-metadata", f"comment={json.dumps(metadata, sort_keys=True)}", "-f", container.muxer, f"file:{path}",
    ]  # fmt: skip
    return command


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing."
