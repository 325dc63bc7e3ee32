"""Check whether the picture stream of a file is complete and intact, from ffmpeg's log of decoding it.

Many errors of ffmpeg are harmless: references that a lossless cut removed, data before the first complete
picture of a stream that was joined midway, other tracks. Titles and names in the log may hold any word. So
three things count: whether the pictures reach the end that the file states, how many pictures the decoder
reports as corrupt, and, when reading failed, whether pictures are missing in between.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from talkcli.engine.video.track_length import mp4_picture_length_s
from talkcli.engine.wording import counted

# Lines of ffmpeg's own parts begin with the part's name and a level (warning, error, fatal) that lines with
# the file's own text never have. vist is the file's picture stream.
_CORRUPT = re.compile(r"^\[vist#[^\]]*\] (?:\[dec:[^\]]*\] )?\[warning\] corrupt decoded frame", re.MULTILINE)
_FAILED = re.compile(r"^\[(?:in|vist)#[^\]]*\] (?:\[dec:[^\]]*\] )?\[(?:error|fatal)\] (.*)$", re.MULTILINE)
# Parts of ffmpeg's description of the input: its end, the length of the file, a stream, a stream's length.
_INPUT_END = re.compile(r"^\[info\] (?:Stream mapping|Output #)|^Stream mapping", re.MULTILINE)
_DURATION = re.compile(r"^\[info\]   Duration: (\d+):(\d+):([\d.]+),", re.MULTILINE)
_STREAM = re.compile(r"^\[info\]   Stream #0:\d+[^:\n]*: (\w+): (.*)$", re.MULTILINE)
_STREAM_LENGTH = re.compile(r"^\[info\]       DURATION {8}: (\d+):(\d+):([\d.]+)$", re.MULTILINE)
# Greatest difference in seconds between the stated end and the last picture's start. It is not 0 because the
# last picture lasts for some time and headers round.
_MOST_MISSING_S = 0.5
# Threshold on an interval between pictures, in medians of the file's intervals: a longer one lost a picture.
_GAP = 1.6
# Number of characters of ffmpeg's error that a message quotes.
_SHOWN = 120


def damage(
    path: Path, said: str, times: Float64[np.ndarray, "frames"], sound_end_s: float | None
) -> str | None:
    """Return evidence that pictures are lost or corrupt, None when there is none.

    Args:
        path: Video file.
        said: ffmpeg's log of decoding the file, at level info.
        times: Times of the pictures in seconds, on the file's clock.
        sound_end_s: Time of the last sound packet in seconds, on the file's clock; None without sound.
    """
    if corrupt := len(_CORRUPT.findall(said)):
        return f"corrupt: {corrupt} of {counted(len(times), 'picture')}"
    stated_s = _stated_s(path, said)
    # When the sound goes on after the last picture, that picture was shown for longer.
    reached_s = max(float(times[-1]), sound_end_s or 0.0)
    if stated_s is not None and stated_s - reached_s > _MOST_MISSING_S:
        return f"{reached_s:.2f} of {stated_s:.2f} s"
    failed = _FAILED.search(said)
    intervals = np.diff(times)
    if failed and len(intervals):
        longest = int(intervals.argmax())
        if intervals[longest] > _GAP * np.median(intervals):
            return f"pictures are lost after {times[longest]:.2f} s: {failed[1].strip()[:_SHOWN]}"
    return None


def _stated_s(path: Path, said: str) -> float | None:
    """Return the end of the pictures in seconds as the file states it, None when it does not."""
    own_s = mp4_picture_length_s(path)
    end = _INPUT_END.search(said)
    header = said[: end.start()] if end else said
    streams = list(_STREAM.finditer(header))
    films = [at for at, stream in enumerate(streams) if _is_film(stream)]
    if own_s is None and films:
        until = streams[films[0] + 1].start() if films[0] + 1 < len(streams) else len(header)
        own = _STREAM_LENGTH.search(header, streams[films[0]].end(), until)
        own_s = _seconds(own) if own else None
    if own_s is not None:
        return own_s
    # The length of the whole file is that of its longest track, which need not be the picture track.
    kinds = [stream[1] for stream in streams]
    others = len(films) > 1 or kinds.count("Audio") > 1 or not set(kinds) <= {"Video", "Audio"}
    whole = _DURATION.search(header)
    return None if whole is None or others or "Estimating duration from bitrate" in said else _seconds(whole)


def _is_film(stream: re.Match[str]) -> bool:
    return stream[1] == "Video" and "(attached pic)" not in stream[2]


def _seconds(found: re.Match[str]) -> float:
    hours, minutes, seconds = map(float, found.groups())
    return 3600 * hours + 60 * minutes + seconds
