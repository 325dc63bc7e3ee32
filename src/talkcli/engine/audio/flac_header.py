"""Length of a FLAC file: the length that its header states, and the end of its last block of sound."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

# Begin of a header: the letters, then the head of the first block, which has 34 bytes. The high bit says that
# no other block follows.
_START = re.compile(rb"fLaC[\x00\x80]\0\0\x22")
# Number of bytes at the end of the file in which the last block is searched. Common blocks have under 16 kB;
# the largest have 65,535 samples of eight channels.
_TAIL_BYTES = 1 << 18
# Largest and smallest size in bytes of the header of a block of sound.
_HEADER_BYTES, _SHORTEST_HEADER = 16, 6
# End of the first block (STREAMINFO) of a file's header in bytes; a shorter file is no FLAC file.
_INFO_END = 42


@dataclass(frozen=True, kw_only=True)
class FlacLength:
    """Length of a FLAC file, which may consist of several joined FLAC files."""

    stated: int
    """Number of samples per channel that the first header states; 0 if the header does not know it."""
    end: int | None
    """Number of the sample after the last block; None if no block was found."""
    parts: tuple[tuple[int, int], ...]
    """First byte and end (excluded) of each joined file."""
    most_channels: int
    """Largest number of channels of a joined file."""

    @property
    def is_plain(self) -> bool:
        """Whether the file has one part, and its header states the end of its last block."""
        return len(self.parts) == 1 and 0 < self.stated == self.end


def flac_length(path: Path) -> FlacLength | None:
    """Return the length of `path`; None if it is no FLAC file."""
    with path.open("rb") as file:
        if file.read(4) != b"fLaC" or path.stat().st_size < _INFO_END:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            starts = [0, *(found.start() for found in _START.finditer(content, 4))]
            # The letters begin a file only if a whole header follows them.
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
    """Return the number of the sample after the last block in `tail`; None if `tail` has no block.

    `largest` is the largest number of samples of a block that the file's header states.
    """
    at = len(tail)
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        if (
            tail[at + 1 : at + 2] in (b"\xf8", b"\xf9")
            and (end := _block_end(tail[at : at + _HEADER_BYTES], largest)) is not None
        ):
            return end
    return None


def _block_end(header: bytes, largest: int) -> int | None:
    """Return the number of the sample after the block that `header` begins; None if it begins no block."""
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
    # The number counts samples if block sizes vary, else blocks; only the last block may be shorter.
    return (number if header[1] & 1 else number * largest) + samples


def _coded_number(code: bytes) -> tuple[int, int]:
    """Return a number of up to 36 bits, coded as UTF-8 codes letters, and its length in bytes.

    The length is 0 if `code` begins with no such number.
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
    """Return the CRC-8 of FLAC's block headers (polynomial 0x07)."""
    check = 0
    for byte in content:
        check ^= byte
        for _ in range(8):
            check = (check << 1 ^ 0x07) & 0xFF if check & 0x80 else check << 1
    return check
