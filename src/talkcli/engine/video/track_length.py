"""How long the pictures of an mp4 or mov are by its own word; ffmpeg tells that of the whole file only.

Boxes as ISO/IEC 14496-12 has them: size, name, content. Nothing is believed beyond the file's size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from talkcli.engine.readers.mp4_boxes import file_boxes

# A header of a film of ten hours takes some 20 MB; what is longer is not looked at.
_LARGEST_HEADER = 1 << 26


class _Box(NamedTuple):
    name: bytes
    content: memoryview


def mp4_picture_length_s(path: Path) -> float | None:
    """The end in seconds of the first track of pictures; None in other formats and where it is not stated, as
    in files that are written in fragments.
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
        # Editors that cut forget to shorten either.
        lengths = [ticks / unit[0] if ticks else 0.0, own[1] / own[0] if own else 0.0]
        return min((length for length in lengths if length > 0), default=None)
    return None


def _header(path: Path) -> memoryview | None:
    """Return the content of the box moov, wherever it is."""
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
    """Return ticks a second, and how many of them, of an mvhd or mdhd."""
    if box is None:
        return None
    rate = _number(box.content, 12, 20, wide=False)
    return (rate, _number(box.content, 16, 24)) if rate else None


def _number(content: memoryview, narrow_at: int, wide_at: int, *, wide: bool = True) -> int:
    """Return a number whose place depends on the box's version, 0 where there is none or all bits say so; in
    version 1 it has 64 bits if it is `wide`.
    """
    is_new = len(content) > 0 and content[0] == 1
    at, size = (wide_at, 8 if wide else 4) if is_new else (narrow_at, 4)
    raw = bytes(content[at : at + size])
    unknown = len(raw) < size or raw == b"\xff" * size
    return 0 if unknown else int.from_bytes(raw, "big")
