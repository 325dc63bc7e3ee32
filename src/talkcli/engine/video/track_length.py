"""Length of the picture track of an mp4 or mov, from its header; ffmpeg reports only the whole file's length.

The file consists of boxes (ISO/IEC 14496-12) with a size, a name and content. The reader ignores boxes that
reach beyond the end of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from talkcli.engine.readers.mp4_boxes import file_boxes

# Size in bytes of the largest header that is read; the header of a film of ten hours has some 20 MB.
_LARGEST_HEADER = 1 << 26


class _Box(NamedTuple):
    """Box within the header."""

    name: bytes
    content: memoryview


def mp4_picture_length_s(path: Path) -> float | None:
    """Return the stated length in seconds of the first picture track.

    Return None for other formats, and when the header states no length, as in fragmented files.
    """
    header = _header(path)
    if header is None:
        return None
    unit = _clock(next((box for box in _boxes(header) if box.name == b"mvhd"), None))
    for track in _boxes(header):
        parts = {box.name: box.content for box in _boxes(track.content)} if track.name == b"trak" else {}
        media = {box.name: box.content for box in _boxes(parts.get(b"mdia", memoryview(b"")))}
        if bytes(media.get(b"hdlr", b"")[8:12]) != b"vide" or b"tkhd" not in parts or unit is None:
            continue
        ticks = _number(parts[b"tkhd"], 20, 28)
        own = _clock(_Box(b"mdhd", media.get(b"mdhd", memoryview(b""))))
        # Editors that cut a file often shorten only one of the track's two lengths, so the smaller counts.
        lengths = [ticks / unit[0] if ticks else 0.0, own[1] / own[0] if own else 0.0]
        return min((length for length in lengths if length > 0), default=None)
    return None


def _header(path: Path) -> memoryview | None:
    """Return the content of the box moov, wherever it lies in the file; None without one, or if too large."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for box in file_boxes(file, size):
            if box.name == b"moov":
                if box.end > size or box.end - box.start > _LARGEST_HEADER:
                    return None
                file.seek(box.content)
                return memoryview(file.read(box.end - box.content))
    return None


def _boxes(content: memoryview) -> Iterator[_Box]:
    at = 0
    while at + 8 <= len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        if length < 8 or at + length > len(content):
            return
        yield _Box(name, content[at + 8 : at + length])
        at += length


def _clock(box: _Box | None) -> tuple[int, int] | None:
    """Return the ticks per second and the length in ticks that a box mvhd or mdhd states."""
    if box is None:
        return None
    rate = _number(box.content, 12, 20, wide=False)
    return (rate, _number(box.content, 16, 24)) if rate else None


def _number(content: memoryview, narrow_at: int, wide_at: int, *, wide: bool = True) -> int:
    """Return a number of a box; 0 when it is missing or unknown (all bits set).

    The number lies at `narrow_at` in version 0 and has 32 bits. In version 1 it lies at `wide_at` and has 64
    bits if it is `wide`, else 32.
    """
    is_new = len(content) > 0 and content[0] == 1
    at, size = (wide_at, 8 if wide else 4) if is_new else (narrow_at, 4)
    raw = bytes(content[at : at + size])
    unknown = len(raw) < size or raw == b"\xff" * size
    return 0 if unknown else int.from_bytes(raw, "big")
