"""Length of the sound of an uncompressed file: the length that its header states, and the length in the file.

The module reads the headers of WAV (RIFF, RIFX), RF64 and BW64, Wave64, AIFF and AIFC, Sun AU and CAF. Stated
lengths are often wrong: programs that write to a pipe cannot return to the header and leave a placeholder;
some programs never close the file; some round up. libsndfile trusts most stated lengths, and corrects the
others without a warning.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from talkcli.engine.audio.chunks import (
    AIFF,
    BEGINNINGS,
    CAF,
    RIFF,
    RIFX,
    WAVE64,
    Chunks,
    is_known,
    is_no_sound,
    look_behind,
)

# Placeholders of a length in bytes: powers of two (these are the exponents), and numbers that differ from a
# power by the size of a header (at most the spread, in bytes).
_PLACEHOLDER_POWERS = (31, 32, 63, 64)
_PLACEHOLDER_SPREAD = 1 << 16
# Largest number of chunks that a reader visits on its way to the sound.
_MOST_CHUNKS = 10_000

# Field of a header that states the length of the sound: position in the file, struct format, number that is
# added to the length, and number of bytes that count as one.
Field = tuple[int, str, int, int]


@dataclass(frozen=True, kw_only=True)
class SoundChunk:
    """Place and lengths of the sound of a file."""

    begins: int
    """Position in the file of the first byte of the sound."""
    stated: int
    """Length of the sound in bytes that the header states."""
    available: int
    """Length in bytes from the first byte of the sound to the end of the file, or to the chunks behind it."""
    fields: tuple[Field, ...]
    """Fields of the header that state the length."""
    after: bytes = b""
    """First bytes behind the stated end; empty if there are none, or if a chunk begins there."""
    is_claimed: bool = False
    """Whether the stated length of the whole file includes these bytes, or is unknown."""

    @property
    def is_open_ended(self) -> bool:
        """Whether the stated length is a placeholder, so that the sound lasts to its available end."""
        if self.stated == 0:
            return self.available > 0
        return self.stated > self.available and any(
            abs(self.stated - (1 << power)) <= _PLACEHOLDER_SPREAD for power in _PLACEHOLDER_POWERS
        )

    @property
    def is_followed_by_sound(self) -> bool:
        """Whether a second sound file follows, which was joined to the first one."""
        return self.after.lstrip(b"\0").startswith(BEGINNINGS)

    @property
    def _unknown(self) -> int:
        """Number of bytes behind the stated end that are no chunk, no tag, no text and no second file."""
        if self.is_open_ended or self.is_followed_by_sound or is_no_sound(self.after):
            return 0
        return max(self.available - self.stated, 0)

    @property
    def uncounted(self) -> int:
        """Number of bytes of sound behind the stated end: the unknown ones, if `is_claimed`."""
        return self._unknown if self.is_claimed else 0

    @property
    def unread(self) -> int:
        """Number of bytes behind the stated end that are not read: unknown, not only zeros, not claimed."""
        return self._unknown if not self.is_claimed and self.after.strip(b"\0") else 0

    def patches(self) -> dict[int, bytes]:
        """Return bytes by their position in the file; with them, the header states the available length."""
        return {
            at: struct.pack(form, min(self.available // unit + extra, 256 ** struct.calcsize(form) - 1))
            for at, form, extra, unit in self.fields
        }


def sound_chunk(path: Path) -> SoundChunk | None:
    """Return the place of the sound of `path`; None for other formats and for a file without sound."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(40)
        if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
            return _riff(file, size, head)
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return _aiff(file, size, head)
        if head[:4] == b"riff" and head[24:28] == b"wave":
            return _wave64(file, size, head)
        if head[:4] == b".snd" and len(head) >= 24:
            begins, stated = struct.unpack(">II", head[4:12])
            # In this format a length of all ones means that it is unknown.
            return _chunk(file, size, begins, stated, ((8, ">I", 0, 1),), None, None)
        if head[:4] == b"caff":
            return _caf(file, size)
    return None


def _chunk(
    file: BinaryIO,
    size: int,
    begins: int,
    stated: int,
    fields: tuple[Field, ...],
    chunks: Chunks | None,
    whole: int | None,
) -> SoundChunk | None:
    """Return the place of the sound that begins at a position; None if the position is not in the file.

    Args:
        file: File of the sound.
        size: Size of the file in bytes.
        begins: Position of the first byte of the sound.
        stated: Stated length of the sound in bytes.
        fields: Fields of the header that state this length.
        chunks: Layout of the format's chunks; None for a format without chunks behind the sound.
        whole: Length of the whole file in bytes that the header states; None if it states none.
    """
    if not 0 < begins <= size:
        return None
    end = begins + stated
    after = look_behind(file, end) if end < size else b""
    # Chunks follow with padding or without it, and the padding may have any length.
    if chunks is not None and (
        is_known(after.lstrip(b"\0"))
        or any(chunks.begins(after[pad:], size - end - pad) for pad in {0, stated % 2})
    ):
        return SoundChunk(begins=begins, stated=stated, available=stated, fields=fields)
    if 0 < size - end <= stated % 2:
        after = b""
    # Programs that write to a pipe state 0 or more bytes than there are, because they do not know the length.
    claimed = whole is None or whole <= 8 or whole > end + stated % 2
    chunk = SoundChunk(
        begins=begins, stated=stated, available=size - begins, fields=fields, after=after, is_claimed=claimed
    )
    if chunk.is_open_ended and chunks is not None:
        last = chunks.start_of_last(file, begins, size)
        return replace(chunk, available=last - begins)
    return chunk


def _riff(file: BinaryIO, size: int, start: bytes) -> SoundChunk | None:
    order, chunks = (">", RIFX) if start[:4] == b"RIFX" else ("<", RIFF)
    whole = struct.unpack(f"{order}I", start[4:8])[0] + 8
    wide: tuple[int, int] | None = None
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        if len(head := file.read(8)) < 8:
            return None
        name, length = head[:4], struct.unpack(f"{order}I", head[4:])[0]
        if name == b"ds64" and len(stated := file.read(16)) == 16:
            whole = struct.unpack("<Q", stated[:8])[0] + 8
            wide = (at + 16, struct.unpack("<Q", stated[8:])[0])
        if name == b"data":
            fields: tuple[Field, ...] = ((at + 4, f"{order}I", 0, 1),)
            if wide and length == 0xFFFF_FFFF:
                # The 32-bit length stays as it is: it says that the 64-bit length counts.
                fields, length = ((wide[0], "<Q", 0, 1),), wide[1]
            return _chunk(file, size, at + 8, length, fields, chunks, whole)
        at += 8 + length + length % 2
    return None


def _aiff(file: BinaryIO, size: int, start: bytes) -> SoundChunk | None:
    whole = struct.unpack(">I", start[4:8])[0] + 8
    counted: tuple[Field, ...] = ()
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        if len(head := file.read(12)) < 12:
            return None
        name, length, offset = struct.unpack(">4sII", head)
        if name == b"COMM":
            file.seek(at + 8)
            channels, _, bits = struct.unpack(">HIH", file.read(8).ljust(8, b"\0"))
            counted = ((at + 10, ">I", 0, max(channels * ((bits + 7) // 8), 1)),)
        if name == b"SSND":
            begins = at + 16 + offset
            # The length includes eight bytes of the chunk's own header; a length of zero does not.
            stated = max(length - 8 - offset, 0)
            fields = ((at + 4, ">I", 8 + offset, 1), *counted)
            return _chunk(file, size, begins, stated, fields, AIFF, whole)
        at += 8 + length + length % 2
    return None


def _wave64(file: BinaryIO, size: int, start: bytes) -> SoundChunk | None:
    whole = struct.unpack("<Q", start[16:24])[0]
    at = 40
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        if len(head := file.read(24)) < 24:
            return None
        length = struct.unpack("<Q", head[16:])[0]
        if head[:4] == b"data":
            # The length includes the 24 bytes of the chunk's own head; some writers leave them out.
            fields = ((at + 16, "<Q", 24, 1),)
            return _chunk(file, size, at + 24, max(length - 24, 0), fields, WAVE64, whole)
        # A 64-bit length may exceed the positions that a file can be read at.
        at = min(at + max(length + -length % 8, 24), size)
    return None


def _caf(file: BinaryIO, size: int) -> SoundChunk | None:
    at = 8
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        if len(head := file.read(12)) < 12:
            return None
        name, length = struct.unpack(">4sQ", head)
        if name == b"data":
            # The sound follows four bytes that count edits. A length of -1 means to the end of the file.
            stated = length - 4 if length >= 4 else 0
            return _chunk(file, size, at + 16, stated, ((at + 4, ">Q", 4, 1),), CAF, None)
        at = min(at + 12 + length, size)
    return None
