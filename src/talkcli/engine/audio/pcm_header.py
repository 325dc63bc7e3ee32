"""What the header of an uncompressed sound file says about the length of its sound, and what is there.

Read are WAV (RIFF, RIFX), RF64 and BW64, Wave64, AIFF and AIFC, Sun AU and CAF. Programs that write to a pipe
cannot go back to the header and leave a placeholder for the length; some never close the file; some round
up. libsndfile believes most of what is written there, and lowers the rest without a word.
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

# Placeholders are a power of two, or that less the size of a header.
_PLACEHOLDER_POWERS = (31, 32, 63, 64)
_PLACEHOLDER_SPREAD = 1 << 16
_MOST_CHUNKS = 10_000

Field = tuple[int, str, int, int]


@dataclass(frozen=True, kw_only=True)
class SoundChunk:
    """Where the sound of a file lies. `begins` is its first byte, `stated` and `available` are bytes.

    `fields` are the places in the header that state the length: offset, struct format, what is added to the
    bytes there, and how many bytes count as one. `after` are the first bytes behind the stated end (empty:
    none, or a chunk). `is_claimed` tells that the header of the whole file counts what is there.
    """

    begins: int
    stated: int
    available: int
    fields: tuple[Field, ...]
    after: bytes = b""
    is_claimed: bool = False

    @property
    def is_open_ended(self) -> bool:
        """Whether the stated length is a placeholder, so that the sound lasts to the end of the file."""
        if self.stated == 0:
            return self.available > 0
        return self.stated > self.available and any(
            abs(self.stated - (1 << power)) <= _PLACEHOLDER_SPREAD for power in _PLACEHOLDER_POWERS
        )

    @property
    def is_followed_by_sound(self) -> bool:
        """Whether another sound file was joined to the end of this one."""
        return self.after.lstrip(b"\0").startswith(BEGINNINGS)

    @property
    def _unknown(self) -> int:
        """Bytes behind the stated end that are no chunk, no tag, no text and no other file."""
        if self.is_open_ended or self.is_followed_by_sound or is_no_sound(self.after):
            return 0
        return max(self.available - self.stated, 0)

    @property
    def uncounted(self) -> int:
        """Bytes of sound behind the stated end: unknown ones that the whole file's own length counts."""
        return self._unknown if self.is_claimed else 0

    @property
    def unread(self) -> int:
        """Bytes behind the stated end that are neither known nor zeros, nor counted by the whole file."""
        return self._unknown if not self.is_claimed and self.after.strip(b"\0") else 0

    def patches(self) -> dict[int, bytes]:
        """Return what to lay over the file so that its header states the sound that is available."""
        return {
            at: struct.pack(form, min(self.available // unit + extra, 256 ** struct.calcsize(form) - 1))
            for at, form, extra, unit in self.fields
        }


def sound_chunk(path: Path) -> SoundChunk | None:
    """Return the sound of `path`, None when its format is none of the above or it has no chunk of sound."""
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
            # All ones is how this format says that it does not know.
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
    """The sound at `begins`, of a format with `chunks` (None: without) that states `whole` bytes of file."""
    if not 0 < begins <= size:
        return None
    end = begins + stated
    after = look_behind(file, end) if end < size else b""
    # Lengths are padded or not, to whatever length.
    if chunks is not None and (
        is_known(after.lstrip(b"\0"))
        or any(chunks.begins(after[pad:], size - end - pad) for pad in {0, stated % 2})
    ):
        return SoundChunk(begins=begins, stated=stated, available=stated, fields=fields)
    if 0 < size - end <= stated % 2:
        after = b""
    # Zero and more than there is are how writers to a pipe state that they do not know.
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
                # The 32 bits stay at their mark, which sends readers to the 64.
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
            # A length of zero has no room for the eight bytes that it counts.
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
            # The length counts the 24 bytes of its own head; writers differ in whether they know.
            fields = ((at + 16, "<Q", 24, 1),)
            return _chunk(file, size, at + 24, max(length - 24, 0), fields, WAVE64, whole)
        # A length of 64 bits may be more than any file can be read at.
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
            # Four bytes count edits before the sound begins; a length of -1 means to the end of the file.
            stated = length - 4 if length >= 4 else 0
            return _chunk(file, size, at + 16, stated, ((at + 4, ">Q", 4, 1),), CAF, None)
        at = min(at + 12 + length, size)
    return None
