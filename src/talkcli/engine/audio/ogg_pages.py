"""What the pages of an Ogg file state about the length and the end of its sound."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_HEAD = struct.Struct("<4sBBqIIIB")
_FIRST, _LAST = 2, 4
_SEARCH_BYTES = 1 << 16
# How the first packet of a stream of sound begins, and where its rate and channels are written.
_HEADS: tuple[tuple[bytes, Callable[[bytes], tuple[int, int]]], ...] = (
    (b"\x01vorbis", lambda packet: (int.from_bytes(packet[12:16], "little"), packet[11])),
    # Opus counts at 48 kHz whatever was recorded.
    (b"OpusHead", lambda packet: (48_000, packet[9])),
    (b"\x7fFLAC", lambda packet: (int.from_bytes(packet[27:30], "big") >> 4, (packet[29] >> 1 & 7) + 1)),
    (b"Speex   ", lambda packet: (int.from_bytes(packet[36:40], "little"), packet[48])),
)
_LONGEST_HEAD = 64


@dataclass
class _Link:
    """One stream of sound; files may hold several, one behind the other."""

    serial: int
    rate_hz: int
    channels: int
    begins: int
    codec: bytes
    first: int | None = None
    last: int = 0
    closed: bool = False

    @property
    def seconds(self) -> float:
        return 0.0 if self.first is None or not self.rate_hz else (self.last - self.first) / self.rate_hz


@dataclass(frozen=True, kw_only=True)
class OggLength:
    """The sound is at least `seconds` long, since positions are stated from the end of the first page on.

    `closed` tells that every part ends with a page that says so, which a file that was cut lacks. `parts` are
    the byte ranges of the parts where they differ in codec, rate or channels, or are Opus of one serial
    number, else empty.
    """

    seconds: float
    closed: bool
    parts: tuple[tuple[int, int], ...]
    most_channels: int


def ogg_length(path: Path) -> OggLength | None:
    """Return what is stated of the first stream of sound in each part of `path`, None when there is none."""
    links: list[_Link] = []
    at_start, begins = False, 0
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while (found := _next_page(file, at)) is not None:
            at = found
            file.seek(at)
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                break
            _, _, flags, position, serial, _, _, segments = _HEAD.unpack(head)
            length = sum(file.read(segments))
            end = at + _HEAD.size + segments + length
            if end > size:
                break
            if flags & _FIRST:
                begins = begins if at_start else at
                at_start = True
                packet = file.read(min(length, _LONGEST_HEAD))
                found_sound = _sound_of(packet)
                # Of streams that begin together, the first of sound is the one that is heard.
                if found_sound is not None and (not links or links[-1].begins != begins):
                    links.append(_Link(serial, *found_sound, begins, packet[:5]))
            else:
                at_start = False
                _count(links, serial, position, bool(flags & _LAST))
            at = end
    if not links:
        return None
    ends = [*(link.begins for link in links[1:]), size]
    alike = len({(link.codec, link.rate_hz, link.channels) for link in links}) == 1
    # A file joined with itself repeats its serial number: of Opus, ffmpeg then drops the second part.
    opus = [link.serial for link in links if link.codec == b"OpusH"]
    alike = alike and len(set(opus)) == len(opus)
    return OggLength(
        seconds=sum(max(link.seconds, 0.0) for link in links),
        closed=all(link.closed for link in links),
        parts=() if alike else tuple((link.begins, end) for link, end in zip(links, ends, strict=True)),
        most_channels=max(link.channels for link in links),
    )


def _count(links: list[_Link], serial: int, position: int, closes: bool) -> None:
    if not links or links[-1].serial != serial:
        return
    link = links[-1]
    # Pages on which no packet ends have no position; those of headers are at 0.
    if position > 0:
        link.first = position if link.first is None else link.first
        link.last = position
    link.closed |= closes


def _sound_of(packet: bytes) -> tuple[int, int] | None:
    """Return rate and channels of the stream that `packet` begins, None when it is no sound."""
    packet = packet.ljust(_LONGEST_HEAD, b"\0")
    return next((read(packet) for start, read in _HEADS if packet.startswith(start)), None)


def _next_page(file: BinaryIO, at: int) -> int | None:
    """Return where the next page begins, from `at` on; None behind the last."""
    while True:
        file.seek(at)
        content = file.read(_SEARCH_BYTES)
        if len(content) < 4:
            return None
        if (found := content.find(b"OggS")) >= 0:
            return at + found
        at += len(content) - 3
