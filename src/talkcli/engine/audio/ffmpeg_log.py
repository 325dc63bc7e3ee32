"""Parser of ffmpeg's log: streams, lengths and errors of a file.

A file cannot forge these lines: ffmpeg does not know the file's name, and it indents the file's own metadata
(titles) further than the lines that the parser reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Longest stated length that counts, in seconds (100 hours); a longer one is a placeholder or damage.
_LONGEST_PLAUSIBLE_S = 360_000.0

# ffmpeg's lines read "[mov,mp4 @ 0x55d0] [error] moov atom not found", or "[info]   Duration: ...".
_LEVEL = re.compile(r"^((?:\[[^\]\n]* @ \w+\] )*)\[(?:panic|fatal|error|warning|info|verbose)\] ", re.M)
_INPUT = re.compile(r"^Input #0, (\S+), from 'fd:':$", re.M)
_DURATION = re.compile(r"^  Duration: (\d+):(\d+):([\d.]+)(?:, start: (-?[\d.]+))?", re.M)
_STREAM = re.compile(
    r"^  Stream #0:\d+(?:\[0x([0-9a-f]+)\])?(?:\([^)\n]*\))?: (Audio|Video): (\w+)(.*)$", re.M
)
_BLOCKS = re.compile(
    r"^\[in#0\S* @ \w+\]\s+Input stream #0:\d+ \(audio\): \d+ packets read \((\d+) bytes\); "
    r"(\d+) frames decoded; (\d+) decode errors",
    re.M,
)
_GUESSED = re.compile(r"^\[[^\]\n]*\] Estimating duration from bitrate", re.M)
_FAINT = re.compile(r"^\[[^\]\n]*\] Format \S+ detected only with low score", re.M)
_NO_SOUND = re.compile(r"^(?:\[[^\]\n]*\] )*Stream map '[^'\n]*' matches no streams", re.M)
_WRITER = re.compile(r"^    (?:encoder|software|WM/EncodingSettings)\s*: Lavf", re.M)
_ERROR = re.compile(r"^(?:\[[^\]\n]* @ \w+\] )*\[(?:error|fatal)\] (.+)$", re.M)


@dataclass(frozen=True, kw_only=True)
class LogFacts:
    """Facts of a file from ffmpeg's log."""

    container: str
    """ffmpeg's names of the container, separated by commas."""
    codec: str
    """ffmpeg's name of the codec of the first sound stream; empty without sound."""
    pid: int | None
    """Number that the container gives the first sound stream; None if it gives none."""
    has_pictures: bool
    """Whether the file has a video stream that is not an attached picture."""
    stated_s: float | None
    """Stated length of the file in seconds; None if the file states none."""
    start_s: float
    """Time of the first sample on the container's clock, in seconds. An MP3 file that states the delay of its
    encoder starts at that delay."""
    read_bytes: int
    """Bytes in the packets of the sound that ffmpeg read."""
    num_decoded: int
    """Number of blocks of sound that ffmpeg decoded."""
    num_undecoded: int
    """Number of blocks of sound that ffmpeg failed to decode."""
    by_ffmpeg: bool
    """Whether ffmpeg's own libraries wrote the file."""
    is_faint: bool
    """Whether ffmpeg detected the format with a low score only."""


def log_facts(said: str) -> LogFacts | None:
    """Return the facts of a log of level `level+verbose`; None if ffmpeg did not open the file."""
    plain = _LEVEL.sub(r"\1", said)
    opened = _INPUT.search(plain)
    if opened is None:
        return None
    # The lines after the stream mapping are about the output.
    shown = plain[opened.start() :].partition("\nStream mapping:")[0]
    streams = _STREAM.findall(shown)
    sounds = [(pid, codec) for pid, kind, codec, _ in streams if kind == "Audio"]
    length = _DURATION.search(shown)
    stated_s = None
    if length and not _GUESSED.search(plain):
        hours, minutes, seconds = map(float, length.groups()[:3])
        stated_s = 3600 * hours + 60 * minutes + seconds
    blocks = _BLOCKS.search(plain)
    read_bytes, decoded, undecoded = map(int, blocks.groups()) if blocks else (0, 0, 0)
    return LogFacts(
        container=opened[1],
        codec=sounds[0][1] if sounds else "",
        pid=int(sounds[0][0], 16) if sounds and sounds[0][0] else None,
        has_pictures=any(kind == "Video" and "(attached pic)" not in rest for _, kind, _, rest in streams),
        stated_s=stated_s if stated_s and stated_s < _LONGEST_PLAUSIBLE_S else None,
        start_s=float(length[4] or 0) if length else 0.0,
        read_bytes=read_bytes,
        num_decoded=decoded,
        num_undecoded=undecoded,
        by_ffmpeg=bool(_WRITER.search(shown)),
        is_faint=bool(_FAINT.search(plain)),
    )


def has_no_sound(said: str) -> bool:
    """Return whether the file has streams, but no sound stream."""
    return bool(_NO_SOUND.search(_LEVEL.sub(r"\1", said)))


def first_error(said: str) -> str | None:
    """Return the first error message of the log, at most 120 characters; None without one."""
    error = _ERROR.search(said)
    return error[1][:120].strip().rstrip(".") if error else None
