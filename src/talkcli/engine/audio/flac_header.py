"""What a FLAC file states of its length, and where its last block of sound ends."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

# The header's first block, of 34 bytes; the high bit tells that no other block follows.
_START = re.compile(rb"fLaC[\x00\x80]\0\0\x22")
# A block of sound is 65,535 samples of eight channels at the most; common ones are under 16 kB.
_TAIL_BYTES = 1 << 18
_HEADER_BYTES, _SHORTEST_HEADER = 16, 6
_INFO_END = 42


@dataclass(frozen=True, kw_only=True)
class FlacLength:
    """Samples: `stated` by the header (0: it does not know), and `end` of the last block (None: not found).

    `parts` are the byte ranges of the FLAC files in it: several when they were joined. `most_channels` is
    the largest number of channels of a part.
    """

    stated: int
    end: int | None
    parts: tuple[tuple[int, int], ...]
    most_channels: int

    @property
    def is_plain(self) -> bool:
        """Whether header and content agree, as in nearly every file."""
        return len(self.parts) == 1 and 0 < self.stated == self.end


def flac_length(path: Path) -> FlacLength | None:
    """Return the lengths of `path`, None when it is no FLAC file."""
    with path.open("rb") as file:
        if file.read(4) != b"fLaC" or path.stat().st_size < _INFO_END:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            starts = [0, *(found.start() for found in _START.finditer(content, 4))]
            # The least header, without which the letters begin no file.
            starts = [start for start in starts if len(content) - start >= _INFO_END]
            info = int.from_bytes(content[18:26], "big")
            largest = int.from_bytes(content[10:12], "big")
            return FlacLength(
                stated=info & (1 << 36) - 1,
                end=_end(content[max(0, len(content) - _TAIL_BYTES) :], largest),
                parts=tuple(pairwise([*starts, len(content)])),
                most_channels=max((content[start + 20] >> 1 & 7) + 1 for start in starts),
            )


def _end(tail: bytes, largest: int) -> int | None:
    at = len(tail)
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        if (
            tail[at + 1 : at + 2] in (b"\xf8", b"\xf9")
            and (end := _block_end(tail[at : at + _HEADER_BYTES], largest)) is not None
        ):
            return end
    return None


def _block_end(header: bytes, largest: int) -> int | None:
    """Return the sample after the block that `header` begins, None when it is no such header."""
    if len(header) < _SHORTEST_HEADER:
        return None
    size_code, rate_code = header[2] >> 4, header[2] & 15
    number, length = _coded_number(header[4:])
    if not size_code or rate_code == 15 or not length:
        return None
    at = 4 + length
    if size_code in (6, 7):
        width = size_code - 5
        samples = int.from_bytes(header[at : at + width], "big") + 1
        at += width
    else:
        samples = {1: 192}.get(size_code) or (576 << size_code - 2 if size_code < 6 else 256 << size_code - 8)
    at += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if at >= len(header) or _crc8(header[:at]) != header[at]:
        return None
    # Blocks of varying size count samples, those of one size count blocks; the last may be shorter.
    return (number if header[1] & 1 else number * largest) + samples


def _coded_number(code: bytes) -> tuple[int, int]:
    """Return a number coded as UTF-8 codes letters, up to 36 bits, and its bytes; none of them for no such
    code.
    """
    first = code[0]
    if first < 0x80:
        return first, 1
    length = 8 - (first ^ 0xFF).bit_length()
    if not 2 <= length <= 7:
        return 0, 0
    number = first & (0x7F >> length)
    for byte in code[1:length]:
        if byte >> 6 != 2:
            return 0, 0
        number = number << 6 | byte & 0x3F
    return number, length


def _crc8(content: bytes) -> int:
    check = 0
    for byte in content:
        check ^= byte
        for _ in range(8):
            check = (check << 1 ^ 0x07) & 0xFF if check & 0x80 else check << 1
    return check
