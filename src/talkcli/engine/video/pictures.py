"""Pictures of any video file, one after another at a constant rate, by the bundled ffmpeg.

Axis names: `height`, `width`. The rate is measured on the time stamps of the decoded pictures, never read
from a header, which may say anything. Pictures stand upright (rotation is applied) and have square pixels.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Float64, UInt8

from talkcli.engine.errors import InputError
from talkcli.engine.ffmpeg import reading_command, refused_format
from talkcli.engine.files import temporary_folder
from talkcli.engine.lifetime import run_child, start_child, uninterrupted
from talkcli.engine.readers.regular import check_file
from talkcli.engine.video.damage import damage
from talkcli.engine.wording import counted

# Below this, lips cannot be followed; above, a file's time stamps are wrong or it is slow motion.
LOWEST_FPS, HIGHEST_FPS = 10.0, 240.0
# Rates that cameras and editors write; what is as near to one as time stamps are coarse, is that one.
_USUAL_FPS = tuple(
    Fraction(rate)
    for rate in (12, 15, 24, 25, 30, 48, 50, 60, 120, 240, "24000/1001", "30000/1001", "60000/1001")
)
# Pictures further than this from an even grid, in intervals, make the rate variable.
_MOST_UNEVEN = 0.25
# How far the median rate of uneven pictures may be from a usual one that is meant.
_MOST_FROM_USUAL = 0.02
_MOST_PIXELS = 8192 * 4352
_TIMEOUT_S, _TIMEOUT_S_PER_MB = 600.0, 10.0
# Without a picture for longer, a video of a speaker has lost some, or its time stamps jump.
_LONGEST_STILL_S = 2.0
# How ffmpeg writes that there is no time: the ends of 64 bits.
_NO_TIME = (-(2**63), 2**63 - 1)
_STAMP = "{pts} {tb} {ptsi}"
# A part's own line: what the file says of itself comes at level info.
_ERROR_LEVEL = re.compile(r"(?:\[[^\]]*\] )*\[(?:error|fatal|panic)\]")
_LOG_PREFIX = re.compile(r"^(?:\[[^\]]*\]\s)+")
# Wider than any picture that is read, and what ffmpeg still scales to.
_UPRIGHT_SQUARE = "scale=w='clip(round(iw*sar),1,16384)':h=ih,setsar=1"
# No camera takes such pictures, and the network for faces ends the process at some of them.
_SMALLEST_SIDE, _MOST_OBLONG = 16, 8


Crop = tuple[float, float, float, float]
"""Left, top, width, height, in heights of the picture: so it holds at any resolution."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """A video's pictures and how they lie in time.

    `num_frames` pictures come at `fps`. Where the file's own rate is not `constant`, each moment of the even
    grid gets the picture shown then. `sound_late_s` is how much later than the pictures the sound begins
    (negative: earlier), None without sound. `rates` are the lowest and the highest rate between two pictures.
    Of pictures that are not square `crop` is shown, all of them where it is None.
    `first` pictures of the file come before those that are meant.
    """

    path: Path
    fps: float
    num_frames: int
    constant: bool
    rates: tuple[float, float]
    sound_late_s: float | None
    crop: Crop | None = None
    first: int = 0

    @property
    def duration_s(self) -> float:
        return self.num_frames / self.fps

    def part(self, first: int, last: int) -> Film:
        """Return pictures `first` up to, not including, `last`."""
        late_s = None if self.sound_late_s is None else self.sound_late_s - first / self.fps
        return replace(self, num_frames=last - first, sound_late_s=late_s, first=self.first + first)


def open_film(path: Path) -> Film:
    """Decode all of `path` once and measure its rate; no picture is kept.

    Raises InputError for what is no readable file, no video, has less than two pictures, time stamps that are
    missing, in disorder or leave 2 s without a picture, pictures beyond 8192 x 4352 or a rate outside 10 to
    240, and for pictures that are damaged or cut short, as `damage` finds them.
    """
    _check_readable(path)
    with temporary_folder() as folder:
        pictures, sound = folder / "pictures", folder / "sound"
        said = _decode(path, pictures, sound)
        if refused_format(said):
            raise InputError(
                f"{path} is no video itself: it is a list, manifest, script or picture.",
                hint="Give the video file: lists that name other files, and scripts, are not followed.",
            )
        times, tick_s = _times(path, pictures)
        sounding, _ = _times(path, sound)
    if not len(times):
        errors = [_LOG_PREFIX.sub("", line).strip() for line in said.splitlines() if _ERROR_LEVEL.match(line)]
        raise InputError(
            f"{path} holds no pictures{f' ({errors[0][:200]})' if errors else ''}.",
            hint="mp4, mov, mkv, webm, avi and mpg work; is it a video, and is the file complete?",
        )
    evidence = damage(path, said, times, float(sounding[-1]) if len(sounding) else None)
    if evidence:
        raise InputError(
            f"{path} is damaged or cut short: {counted(len(times), 'picture')} can be decoded ({evidence}).",
            hint=f"Copy it again; or keep what is there: ffmpeg -i {path} -crf 17 rescued.mp4",
        )
    return _film(path, times, tick_s, float(sounding[0]) if len(sounding) else None)


def read_pictures(film: Film) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yield the pictures of `film` in sRGB, `num_frames` of them, all of one size; one at a time is in
    memory.

    Closing the iterator ends ffmpeg. Raises InputError when the file has changed since it was opened, and
    when there is no picture where it is to be cropped.
    """
    filters = f"trim=start_frame={film.first},{_UPRIGHT_SQUARE}"
    if not film.constant:
        filters = f"fps=fps={Fraction(film.fps).limit_denominator(1001)},{filters}"
    command = [
        *_input(), "-map", "0:V:0", "-vf", filters, "-fps_mode", "passthrough",
        "-frames:v", str(film.num_frames), "-f", "image2pipe", "-c:v", "ppm", "pipe:1",
    ]  # fmt: skip
    process = None
    try:
        with uninterrupted(), film.path.open("rb") as file:
            process = start_child(command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        for done in range(film.num_frames):
            picture = _next_picture(process.stdout, film.path)
            if picture is None:
                raise InputError(
                    f"{film.path} gave {counted(done, 'picture')} where it had {film.num_frames} a moment "
                    "ago.",
                    hint="Is it still being written?",
                )
            yield picture if film.crop is None else _cropped(picture, film.crop)
    finally:
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _check_readable(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path} does not exist.", hint="Check the spelling and the folder.")
    if not path.is_file():
        raise InputError(f"{path} is a folder, a pipe or a device, a video file is needed.")
    check_file(path)
    if path.stat().st_size == 0:
        raise InputError(
            f"{path} is an empty file (0 bytes).", hint="Was the recording or the copy finished?"
        )


def _input() -> list[str]:
    return reading_command("-nostats", "-v", "level+info", "-max_pixels", str(_MOST_PIXELS))


def _decode(path: Path, pictures: Path, sound: Path) -> str:
    """Write the time stamps of all pictures and all blocks of sound to files; returns what ffmpeg said."""
    command = [
        *_input(), "-map", "0:V:0?", "-map", "0:a:0?", "-fps_mode", "passthrough",
        # When each is shown, on the file's own clock, the unit of it, and what the file itself says.
        "-enc_time_base", "demux",
        "-stats_enc_pre:v", str(pictures), "-stats_enc_pre_fmt:v", _STAMP,
        "-stats_enc_pre:a", str(sound), "-stats_enc_pre_fmt:a", _STAMP,
        "-f", "null", "-",
    ]  # fmt: skip
    timeout_s = _TIMEOUT_S + _TIMEOUT_S_PER_MB * path.stat().st_size / 1e6
    try:
        with path.open("rb") as file:
            done = run_child(command, stdin=file, capture_output=True, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{path} was not decoded within {timeout_s:.0f} s.") from error
    return done.stderr.decode("utf-8", "replace")


def _times(path: Path, stamps: Path) -> tuple[Float64[np.ndarray, "frames"], float]:
    """Return seconds of each line of `stamps`, and the length of a tick; empty where there is no such
    stream.
    """
    rows = [line.split() for line in stamps.read_text().splitlines()] if stamps.exists() else []
    if not rows:
        return np.zeros(0), 0.0
    # Old containers date some pictures only, and ffmpeg counts on from these. Without any it would guess.
    if all(int(row[2]) in _NO_TIME for row in rows):
        raise InputError(
            f"{path} has pictures or sound without time stamps, so that nothing says when they are.",
            hint=f"Put it into a container that has them: ffmpeg -fflags +genpts -i {path} -c copy dated.mkv",
        )
    tick_s = float(Fraction(rows[0][1]))
    return np.array([int(row[0]) for row in rows]) * tick_s, tick_s


def _film(path: Path, times: Float64[np.ndarray, "frames"], tick_s: float, sound_s: float | None) -> Film:
    intervals = np.diff(times)
    if len(times) < 2 or not (intervals > 0).all():
        what = "one picture" if len(times) < 2 else "pictures whose time stamps do not increase"
        raise InputError(f"{path} holds {what}, a video is needed.")
    longest = int(np.argmax(intervals))
    if intervals[longest] > _LONGEST_STILL_S:
        raise InputError(
            f"{path} has no picture for {intervals[longest]:.4g} s after {times[longest] - times[0]:.2f} s.",
            hint="Cut it there, or repair its time stamps by encoding it again.",
        )
    rate = Fraction((len(times) - 1) / (times[-1] - times[0])).limit_denominator(100_000)
    uneven = np.abs(times - times[0] - np.arange(len(times)) / float(rate)).max() * float(rate)
    constant = bool(uneven < _MOST_UNEVEN)
    if constant:
        near = [
            usual
            for usual in _USUAL_FPS
            if abs(1 / usual - 1 / rate) * (len(times) - 1) <= 1.5 * tick_s + 1e-6
        ]
    else:
        rate = Fraction(1 / float(np.median(intervals))).limit_denominator(100_000)
        # Phones: 30 in name, and some pictures late or left out.
        near = [usual for usual in _USUAL_FPS if abs(usual / rate - 1) < _MOST_FROM_USUAL]
    rate = min(near, key=lambda usual: abs(usual - rate), default=rate)
    if not LOWEST_FPS <= rate <= HIGHEST_FPS:
        raise InputError(
            f"{path} has {float(rate):.4g} pictures a second, outside {LOWEST_FPS:g} to {HIGHEST_FPS:g}.",
            hint="Lips cannot be followed in less; slow motion must be brought back to its sound's speed.",
        )
    return Film(
        path=path,
        fps=float(rate),
        num_frames=len(times) if constant else round((times[-1] - times[0]) * float(rate)) + 1,
        constant=constant,
        rates=(1 / float(intervals.max()), 1 / float(intervals.min())),
        sound_late_s=None if sound_s is None else sound_s - float(times[0]),
    )


def _cropped(picture: UInt8[np.ndarray, "rows columns 3"], crop: Crop) -> UInt8[np.ndarray, "height width 3"]:
    rows, columns = picture.shape[:2]
    if rows == columns:
        return picture
    left, top, width, height = (round(edge * rows) for edge in crop)
    # Edges are rounded one by one: together they may reach a pixel beyond.
    if min(left, top) < 0 or min(width, height) < 1 or left + width > columns + 1 or top + height > rows + 1:
        raise InputError(
            f"{width}x{height} pixels at {left}, {top} are not inside of pictures of {columns}x{rows}.",
            hint="Is this the video that the crop was made for?",
        )
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def _next_picture(stream: IO[bytes], path: Path) -> UInt8[np.ndarray, "height width 3"] | None:
    """Return one picture in PPM, whose header is three lines; None at the end. Raises InputError, before
    memory is asked for, for pictures of a size that none is taken in.
    """
    header = [stream.readline() for _ in range(3)]
    if header[0] != b"P6\n":
        return None
    width, height = map(int, header[1].split())
    short, long = sorted((width, height))
    if short < _SMALLEST_SIDE or long > _MOST_OBLONG * short or width * height > _MOST_PIXELS:
        raise InputError(
            f"{path} has pictures of {width}x{height} square pixels, which no camera takes.",
            hint=f"The shorter side has {_SMALLEST_SIDE}, the longer at most {_MOST_OBLONG} times that. "
            "Is the pixel aspect (SAR) right? ffmpeg -i IN -vf setsar=1 OUT mends it.",
        )
    content = stream.read(width * height * 3)
    if len(content) < width * height * 3:
        return None
    return np.frombuffer(content, np.uint8).reshape(height, width, 3)
