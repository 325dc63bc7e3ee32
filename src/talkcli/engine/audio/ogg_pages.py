"""Length of the sound of an Ogg file, and whether the sound is complete, from the headers of its pages."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# Header of a page: letters, version, flags, position in samples, serial number of the stream, number of the
# page, checksum, number of segments.
_HEAD = struct.Struct("<4sBBqIIIB")
# Flags of the first and of the last page of a stream.
_FIRST, _LAST = 2, 4
# Number of bytes that are searched at a time for the next page.
_SEARCH_BYTES = 1 << 16
# Begin of the first packet of a stream of sound, by codec, and the function that reads its rate in Hz and its
# number of channels.
_HEADS: tuple[tuple[bytes, Callable[[bytes], tuple[int, int]]], ...] = (
    (b"\x01vorbis", lambda packet: (int.from_bytes(packet[12:16], "little"), packet[11])),
    # Opus counts samples at 48 kHz, whatever the rate of the recording.
    (b"OpusHead", lambda packet: (48_000, packet[9])),
    (b"\x7fFLAC", lambda packet: (int.from_bytes(packet[27:30], "big") >> 4, (packet[29] >> 1 & 7) + 1)),
    (b"Speex   ", lambda packet: (int.from_bytes(packet[36:40], "little"), packet[48])),
)
# Number of bytes of the first packet that these functions need at most.
_LONGEST_HEAD = 64


@dataclass
class _Link:
    """Stream of sound in one part of a file; a file may consist of several parts, one after another."""

    serial: int
    """Serial number of the stream."""
    rate_hz: int
    """Rate of the stream's positions in Hz."""
    channels: int
    """Number of channels."""
    begins: int
    """Position in the file of the first byte of the part."""
    codec: bytes
    """First five bytes of the stream, which name its codec."""
    first: int | None = None
    """Position in samples of the end of the first page of sound; None before this page."""
    last: int = 0
    """Position in samples of the end of the last page so far."""
    closed: bool = False
    """Whether a page said that it is the stream's last one."""

    @property
    def seconds(self) -> float:
        """Time from the end of the first page of sound to the end of the last one, in seconds."""
        return 0.0 if self.first is None or not self.rate_hz else (self.last - self.first) / self.rate_hz


@dataclass(frozen=True, kw_only=True)
class OggLength:
    """Length of the sound of an Ogg file, and its parts."""

    seconds: float
    """Lower bound of the length in seconds: pages state positions only from the end of the first page on."""
    closed: bool
    """Whether every part ends with a page that is marked as the last; a file that was cut lacks this page."""
    parts: tuple[tuple[int, int], ...]
    """First byte and end (excluded) of each part, if ffmpeg must decode the parts one by one: they differ in
    codec, rate or channels, or several Opus parts share a serial number. Else empty."""
    most_channels: int
    """Largest number of channels of a part."""


def ogg_length(path: Path) -> OggLength | None:
    """Return the length of the first stream of sound in each part of `path`; None if no part has sound."""
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
                # Of several streams in a part, ffmpeg decodes the first stream of sound.
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
    # A file that is joined with itself repeats its serial number; ffmpeg then drops the second part of Opus.
    opus = [link.serial for link in links if link.codec == b"OpusH"]
    alike = alike and len(set(opus)) == len(opus)
    return OggLength(
        seconds=sum(max(link.seconds, 0.0) for link in links),
        closed=all(link.closed for link in links),
        parts=() if alike else tuple((link.begins, end) for link, end in zip(links, ends, strict=True)),
        most_channels=max(link.channels for link in links),
    )


def _count(links: list[_Link], serial: int, position: int, closes: bool) -> None:
    """Enter a page into the last of `links`, if the page belongs to it.

    Args:
        links: Streams of sound so far.
        serial: Serial number of the page's stream.
        position: Position of the page's end in samples.
        closes: Whether the page is marked as the last of its stream.
    """
    if not links or links[-1].serial != serial:
        return
    link = links[-1]
    # A page on which no packet ends has no position (-1); pages of headers have position 0.
    if position > 0:
        link.first = position if link.first is None else link.first
        link.last = position
    link.closed |= closes


def _sound_of(packet: bytes) -> tuple[int, int] | None:
    """Return rate in Hz and channels of the stream that `packet` begins; None if it is no stream of sound."""
    packet = packet.ljust(_LONGEST_HEAD, b"\0")
    return next((read(packet) for start, read in _HEADS if packet.startswith(start)), None)


def _next_page(file: BinaryIO, at: int) -> int | None:
    """Return the position of the first page from `at` on; None after the last page."""
    while True:
        file.seek(at)
        content = file.read(_SEARCH_BYTES)
        if len(content) < 4:
            return None
        if (found := content.find(b"OggS")) >= 0:
            return at + found
        at += len(content) - 3
