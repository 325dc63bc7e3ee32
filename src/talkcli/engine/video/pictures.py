"""Reader of the pictures of any video file, one after another at a constant rate, by the bundled ffmpeg.

Axis names: `height`, `width`. The reader measures the rate on the time stamps of the decoded pictures and
never takes it from a header, which may be wrong. Pictures stand upright (ffmpeg applies the rotation) and
have square pixels.
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

# Range of rates in pictures per second. Below it the fit cannot follow lips; above it a file's time stamps
# are wrong or it is slow motion.
LOWEST_FPS, HIGHEST_FPS = 10.0, 240.0
# Rates in pictures per second that cameras and editors write. A measured rate is replaced by one of them when
# the difference is within the resolution of the time stamps.
_USUAL_FPS = tuple(
    Fraction(rate)
    for rate in (12, 15, 24, 25, 30, 48, 50, 60, 120, 240, "24000/1001", "30000/1001", "60000/1001")
)
# Greatest distance of a picture from an even time grid, in intervals, at which the rate counts as constant.
_MOST_UNEVEN = 0.25
# Greatest relative difference between the median rate of uneven pictures and the usual rate that replaces it.
_MOST_FROM_USUAL = 0.02
# Greatest number of pixels in a picture.
_MOST_PIXELS = 8192 * 4352
# Timeout of a decoding in seconds: a constant part, and a part per megabyte of the file.
_TIMEOUT_S, _TIMEOUT_S_PER_MB = 600.0, 10.0
# Longest time in seconds between two pictures. A video of a speaker with a longer one has lost pictures, or
# its time stamps jump.
_LONGEST_STILL_S = 2.0
# Time stamps that ffmpeg writes for an unknown time: the limits of a signed 64-bit integer.
_NO_TIME = (-(2**63), 2**63 - 1)
# Line that ffmpeg writes per picture: time stamp and time base of the encoder, time stamp of the file.
_STAMP = "{pts} {tb} {ptsi}"
# Beginning of an error line of ffmpeg itself; text from the file, such as a title, comes at level info.
_ERROR_LEVEL = re.compile(r"(?:\[[^\]]*\] )*\[(?:error|fatal|panic)\]")
# Names of ffmpeg's parts and the level, at the beginning of a line of its log.
_LOG_PREFIX = re.compile(r"^(?:\[[^\]]*\]\s)+")
# Filter that makes pixels square. Its limit of 16384 pixels is wider than any picture that the reader
# accepts, and ffmpeg can still scale to it.
_UPRIGHT_SQUARE = "scale=w='clip(round(iw*sar),1,16384)':h=ih,setsar=1"
# Smallest side of a picture in pixels, and greatest ratio of its sides. No camera takes pictures beyond
# these, and the face network crashes the process on some of them.
_SMALLEST_SIDE, _MOST_OBLONG = 16, 8


Crop = tuple[float, float, float, float]
"""Left, top, width and height of a crop, in heights of the picture, so that it holds at any resolution."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """Pictures of a video on an even time grid, with the timing of the file."""

    path: Path
    """Video file."""
    fps: float
    """Pictures per second of the even grid."""
    num_frames: int
    """Number of pictures on the even grid."""
    constant: bool
    """Whether the file's own rate is constant; if not, each time of the grid gets the picture shown then."""
    rates: tuple[float, float]
    """Lowest and highest rate between two successive pictures of the file, in pictures per second."""
    sound_late_s: float | None
    """Offset in seconds of the sound's start from the pictures' start, negative when the sound starts
    earlier; None without sound."""
    crop: Crop | None = None
    """Part that is kept of pictures that are not square; None keeps whole pictures."""
    first: int = 0
    """Number of pictures on the even grid that precede those of this `Film`."""

    @property
    def duration_s(self) -> float:
        return self.num_frames / self.fps

    def part(self, first: int, last: int) -> Film:
        """Return the pictures from `first` up to, but not including, `last`."""
        late_s = None if self.sound_late_s is None else self.sound_late_s - first / self.fps
        return replace(self, num_frames=last - first, sound_late_s=late_s, first=self.first + first)


def open_film(path: Path) -> Film:
    """Decode all of `path` once and measure its rate; keep no picture.

    Raises:
        InputError: The file is not readable or not a video; it has fewer than two pictures, or pictures of
            more pixels than 8192 x 4352; its time stamps are missing, not in order, or more than 2 s apart;
            its rate lies outside 10 to 240 pictures per second; or its pictures are damaged or cut short (see
            `damage`).
    """
    _check_readable(path)
    with temporary_folder() as folder:
        pictures, sound = folder / "pictures", folder / "sound"
        said = _decode(path, pictures, sound)
        if refused_format(said):
            raise InputError(
                f"{path} is no video itself: it is a list, manifest, script or picture.",
                hint="Give the video file: this program does not follow scripts or lists of other files.",
            )
        times, tick_s = _times(path, pictures)
        sounding, _ = _times(path, sound)
    if not len(times):
        errors = [_LOG_PREFIX.sub("", line).strip() for line in said.splitlines() if _ERROR_LEVEL.match(line)]
        raise InputError(
            f"{path} holds no pictures{f' ({errors[0][:200]})' if errors else ''}.",
            hint="Check that it is a complete video file, such as mp4, mov, mkv, webm, avi or mpg.",
        )
    evidence = damage(path, said, times, float(sounding[-1]) if len(sounding) else None)
    if evidence:
        raise InputError(
            f"{path} is damaged or cut short: {counted(len(times), 'picture')} can be decoded ({evidence}).",
            hint=f"Copy it again, or rescue the intact part: ffmpeg -i {path} -crf 17 rescued.mp4",
        )
    return _film(path, times, tick_s, float(sounding[0]) if len(sounding) else None)


def read_pictures(film: Film) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yield the `num_frames` pictures of `film` in sRGB, all of one size; keep only one of them in memory.

    Closing the iterator ends ffmpeg. Raises InputError when the file has changed since it was opened, and
    when the crop lies outside of the pictures.
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
                    f"{film.path} now gives {counted(done, 'picture')}, but had {film.num_frames} a moment "
                    "ago.",
                    hint="Wait until no other program writes the file, then run this again.",
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
            f"{path} is an empty file (0 bytes).", hint="Finish the recording, or copy the file again."
        )


def _input() -> list[str]:
    return reading_command("-nostats", "-v", "level+info", "-max_pixels", str(_MOST_PIXELS))


def _decode(path: Path, pictures: Path, sound: Path) -> str:
    """Write the time stamps of all pictures and all sound packets to files; return ffmpeg's log."""
    command = [
        *_input(), "-map", "0:V:0?", "-map", "0:a:0?", "-fps_mode", "passthrough",
        # Time stamps are on the file's own clock; `_STAMP` lists what each line of the two files holds.
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
        raise InputError(f"ffmpeg did not decode {path} within {timeout_s:.0f} s.") from error
    return done.stderr.decode("utf-8", "replace")


def _times(path: Path, stamps: Path) -> tuple[Float64[np.ndarray, "frames"], float]:
    """Return the time of each line of `stamps` and the length of a tick, both in seconds.

    Without such a stream return an empty array and 0.
    """
    rows = [line.split() for line in stamps.read_text().splitlines()] if stamps.exists() else []
    if not rows:
        return np.zeros(0), 0.0
    # Old containers stamp only some pictures, and ffmpeg counts on from these. Without any it would guess.
    if all(int(row[2]) in _NO_TIME for row in rows):
        raise InputError(
            f"{path} has pictures or sound without time stamps, so that their times are unknown.",
            hint=f"Add time stamps in a new container: ffmpeg -fflags +genpts -i {path} -c copy dated.mkv",
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
        # A phone's nominal rate is usual (30), but it writes some pictures late and drops others.
        near = [usual for usual in _USUAL_FPS if abs(usual / rate - 1) < _MOST_FROM_USUAL]
    rate = min(near, key=lambda usual: abs(usual - rate), default=rate)
    if not LOWEST_FPS <= rate <= HIGHEST_FPS:
        raise InputError(
            f"{path} has {float(rate):.4g} pictures a second, outside {LOWEST_FPS:g} to {HIGHEST_FPS:g}.",
            hint="Lips cannot be followed at a lower rate; play slow motion at the speed of its sound.",
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
    # Each edge is rounded on its own, so that the crop may reach one pixel beyond the picture.
    if min(left, top) < 0 or min(width, height) < 1 or left + width > columns + 1 or top + height > rows + 1:
        raise InputError(
            f"The crop of {width}x{height} at {left}, {top} is not within pictures of {columns}x{rows}.",
            hint="Check that the crop was made for this video.",
        )
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def _next_picture(stream: IO[bytes], path: Path) -> UInt8[np.ndarray, "height width 3"] | None:
    """Return the next picture of a stream of PPM pictures (a header of three lines each); None at the end.

    Raises InputError, before it allocates memory, for pictures of an unusual size.
    """
    header = [stream.readline() for _ in range(3)]
    if header[0] != b"P6\n":
        return None
    width, height = map(int, header[1].split())
    short, long = sorted((width, height))
    if short < _SMALLEST_SIDE or long > _MOST_OBLONG * short or width * height > _MOST_PIXELS:
        raise InputError(
            f"{path} has pictures of {width}x{height} square pixels, which no camera takes.",
            hint=f"The shorter side needs {_SMALLEST_SIDE} pixels, the longer at most {_MOST_OBLONG} times "
            "that. If the pixel aspect (SAR) is wrong, correct it: ffmpeg -i IN -vf setsar=1 OUT",
        )
    content = stream.read(width * height * 3)
    if len(content) < width * height * 3:
        return None
    return np.frombuffer(content, np.uint8).reshape(height, width, 3)
