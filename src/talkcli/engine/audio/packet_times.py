"""Times of the packets of a file's streams, which ffmpeg lists without decoding them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from talkcli.engine.ffmpeg import reading_command
from talkcli.engine.lifetime import start_child

# Seconds that ffmpeg may take to end after its output has ended.
_TIMEOUT_S = 600.0
# Lines of ffmpeg's list: duration of a tick of a stream in seconds, as a fraction, and kind of a stream.
_TIME_BASE = re.compile(r"^#tb (\d+): (\d+)/(\d+)$")
_KIND = re.compile(r"^#media_type (\d+): (\w+)$")


@dataclass(frozen=True, kw_only=True)
class PacketTimes:
    """Times of a file's streams."""

    sound_s: float
    """Duration of the first sound stream in seconds."""
    others_end_s: float
    """Time in seconds at which the last of the other streams ends; 0 without other streams."""


def packet_times(path: Path) -> PacketTimes | None:
    """Return the times of the streams of `path`; None if ffmpeg lists no sound, or does not end in time."""
    command = [
        *reading_command("-nostats", "-v", "quiet"), "-map", "0:a?", "-map", "0:v?", "-map", "0:s?",
        "-c", "copy", "-f", "framecrc", "pipe:1",
    ]  # fmt: skip
    spans: dict[int, tuple[int, int]] = {}
    ticks: dict[int, Fraction] = {}
    kinds: dict[int, str] = {}
    with path.open("rb") as file:
        process = start_child(command, stdin=file, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode("ascii", "replace")
            if found := _TIME_BASE.match(line):
                ticks[int(found[1])] = Fraction(int(found[2]), int(found[3]))
            elif found := _KIND.match(line):
                kinds[int(found[1])] = found[2]
            elif not line.startswith("#"):
                _note(line, spans)
        process.wait(_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    sounds = [stream for stream, kind in kinds.items() if kind == "audio" and stream in spans]
    if not sounds:
        return None
    first = min(sounds)
    start, end = spans[first]
    return PacketTimes(
        sound_s=float((end - start) * ticks.get(first, 0)),
        others_end_s=max(
            (float(span[1] * ticks.get(stream, 0)) for stream, span in spans.items() if stream != first),
            default=0.0,
        ),
    )


def _note(line: str, spans: dict[int, tuple[int, int]]) -> None:
    """Extend the span (start and end in ticks) of the stream whose packet `line` describes."""
    fields = line.split(",")
    try:
        stream, time, length = int(fields[0]), int(fields[2]), int(fields[3])
    except (ValueError, IndexError):
        return
    start, end = spans.get(stream, (time, time))
    spans[stream] = (min(start, time), max(end, time + length))
