"""Whether the pictures of a file are all there and whole, judged by what was decoded of that stream alone.

ffmpeg complains of much that harms nobody: references that a lossless cut took away, what comes before the
first whole picture of a stream joined midway, other tracks. Titles and names may hold any word. So what
counts is whether pictures reach the end that the file states for them, how many the decoder itself calls
corrupt, and, where reading failed, whether any are missing in between.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from talkcli.engine.video.track_length import mp4_picture_length_s
from talkcli.engine.wording import counted

# Lines of ffmpeg's parts begin with the part, and name a level at which a file's own words never come; vist
# is the stream of pictures in the file.
_CORRUPT = re.compile(r"^\[vist#[^\]]*\] (?:\[dec:[^\]]*\] )?\[warning\] corrupt decoded frame", re.MULTILINE)
_FAILED = re.compile(r"^\[(?:in|vist)#[^\]]*\] (?:\[dec:[^\]]*\] )?\[(?:error|fatal)\] (.*)$", re.MULTILINE)
_INPUT_END = re.compile(r"^\[info\] (?:Stream mapping|Output #)|^Stream mapping", re.MULTILINE)
_DURATION = re.compile(r"^\[info\]   Duration: (\d+):(\d+):([\d.]+),", re.MULTILINE)
_STREAM = re.compile(r"^\[info\]   Stream #0:\d+[^:\n]*: (\w+): (.*)$", re.MULTILINE)
_STREAM_LENGTH = re.compile(r"^\[info\]       DURATION {8}: (\d+):(\d+):([\d.]+)$", re.MULTILINE)
# The last picture begins before it ends; headers round.
_MOST_MISSING_S = 0.5
# Of an interval that is usual in the file: longer ones have lost a picture.
_GAP = 1.6
_SHOWN = 120


def damage(
    path: Path, said: str, times: Float64[np.ndarray, "frames"], sound_end_s: float | None
) -> str | None:
    """Return evidence that pictures are lost or broken, None when there is none. `said` is ffmpeg's log of
    decoding at level info, `times` are those of the pictures in seconds, on the clock of the file.
    """
    if corrupt := len(_CORRUPT.findall(said)):
        return f"broken: {corrupt} of {counted(len(times), 'picture')}"
    stated_s = _stated_s(path, said)
    # Where sound goes on, the last picture was shown for longer.
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
    """Return where the pictures end by the file's own word; None where it has none."""
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
    # The length of the whole is that of its longest track, which may be one that nobody reads.
    kinds = [stream[1] for stream in streams]
    others = len(films) > 1 or kinds.count("Audio") > 1 or not set(kinds) <= {"Video", "Audio"}
    whole = _DURATION.search(header)
    return None if whole is None or others or "Estimating duration from bitrate" in said else _seconds(whole)


def _is_film(stream: re.Match[str]) -> bool:
    return stream[1] == "Video" and "(attached pic)" not in stream[2]


def _seconds(found: re.Match[str]) -> float:
    hours, minutes, seconds = map(float, found.groups())
    return 3600 * hours + 60 * minutes + seconds
