"""What the header of an uncompressed sound file says about the length of its sound, and what is there.

Read are WAV (RIFF, RIFX), RF64 and BW64, Wave64, AIFF and AIFC, Sun AU and CAF. Programs that write to a pipe
cannot go back to the header and leave a placeholder for the length; some never close the file; some round
up. libsndfile believes most of what is written there, and lowers the rest without a word.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# What starts a second sound file behind the first.
_BEGINNINGS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b".snd", b"caff", b"fLaC", b"OggS", b"riff\x2e")
# Labels that players write behind the sound.
_LABELS = (b"TAG", b"ID3", b"APE", b"LYR", b"3DI")
# Placeholders are a power of two, less what the writer thinks its header takes.
_PLACEHOLDER_POWERS = (31, 32, 63, 64)
_PLACEHOLDER_SPREAD = 1 << 16
_MOST_CHUNKS = 10_000

Field = tuple[int, str, int, int]


@dataclass(frozen=True, kw_only=True)
class SoundChunk:
    """Where the sound of a file lies. `begins` is its first byte, `stated` and `available` are bytes.

    `fields` are the places in the header that state the length: offset, struct format, what is added to the
    bytes there, and how many bytes count as one. `after` are
    the first bytes behind the stated end (empty: none, or a chunk).
    """

    begins: int
    stated: int
    available: int
    fields: tuple[Field, ...]
    after: bytes = b""

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
        return self.after.startswith(_BEGINNINGS)

    @property
    def uncounted(self) -> int:
        """Bytes behind the stated end that are no chunk, no label and no other file: sound, most likely."""
        if (
            self.is_open_ended
            or self.is_followed_by_sound
            or self.after.startswith(_LABELS)
            or not self.after.strip(b"\0")
        ):
            return 0
        return self.available - self.stated

    def patches(self) -> dict[int, bytes]:
        """What to lay over the file so that its header states the sound that is available."""
        return {
            at: struct.pack(form, min(self.available // unit + extra, 256 ** struct.calcsize(form) - 1))
            for at, form, extra, unit in self.fields
        }


def sound_chunk(path: Path) -> SoundChunk | None:
    """The sound of `path`, None when its format is none of the above or it has no chunk of sound."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(40)
        if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
            return _riff(file, size, ">" if head[:4] == b"RIFX" else "<")
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return _aiff(file, size)
        if head[:4] == b"riff" and head[24:28] == b"wave":
            return _wave64(file, size)
        if head[:4] == b".snd" and len(head) >= 24:
            begins, stated = struct.unpack(">II", head[4:12])
            # All ones is how this format says that it does not know.
            return _chunk(file, size, begins, stated, ((8, ">I", 0, 1),))
        if head[:4] == b"caff":
            return _caf(file, size)
    return None


def _chunk(
    file: BinaryIO, size: int, begins: int, stated: int, fields: tuple[Field, ...]
) -> SoundChunk | None:
    if not 0 < begins <= size:
        return None
    # Chunks are padded to even lengths, and so may be the file.
    end = begins + stated + stated % 2
    after = b""
    if end < size:
        file.seek(end)
        after = file.read(64)
        if _is_chunk(after, size - end):
            return SoundChunk(begins=begins, stated=stated, available=stated, fields=fields)
    return SoundChunk(begins=begins, stated=stated, available=size - begins, fields=fields, after=after)


def _is_chunk(after: bytes, left: int) -> bool:
    """Whether a chunk of the file's own format comes next: a name of four letters and a length that fits."""
    if len(after) < 8 or after.startswith((*_BEGINNINGS, *_LABELS)):
        return False
    fits = any(
        0 <= struct.unpack(form, after[at : at + struct.calcsize(form)])[0] <= left
        for form, at in (("<I", 4), (">I", 4), (">q", 4), ("<q", 16))
        if len(after) >= at + struct.calcsize(form)
    )
    return fits and all(32 <= letter < 127 for letter in after[:4])


def _riff(file: BinaryIO, size: int, order: str) -> SoundChunk | None:
    wide: tuple[int, int] | None = None
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        if len(head := file.read(8)) < 8:
            return None
        name, length = head[:4], struct.unpack(f"{order}I", head[4:])[0]
        if name == b"ds64" and len(stated := file.read(16)) == 16:
            wide = (at + 16, struct.unpack("<Q", stated[8:])[0])
        if name == b"data":
            fields: tuple[Field, ...] = ((at + 4, f"{order}I", 0, 1),)
            if wide and length == 0xFFFF_FFFF:
                # The 32 bits stay at their mark, which sends readers to the 64.
                fields, length = ((wide[0], "<Q", 0, 1),), wide[1]
            return _chunk(file, size, at + 8, length, fields)
        at += 8 + length + length % 2
    return None


def _aiff(file: BinaryIO, size: int) -> SoundChunk | None:
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
            return _chunk(file, size, begins, stated, ((at + 4, ">I", 8 + offset, 1), *counted))
        at += 8 + length + length % 2
    return None


def _wave64(file: BinaryIO, size: int) -> SoundChunk | None:
    at = 40
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        if len(head := file.read(24)) < 24:
            return None
        length = struct.unpack("<Q", head[16:])[0]
        if head[:4] == b"data":
            # The length counts the 24 bytes of its own head; writers differ in whether they know.
            return _chunk(file, size, at + 24, max(length - 24, 0), ((at + 16, "<Q", 24, 1),))
        at += max(length + -length % 8, 24)
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
            return _chunk(file, size, at + 16, stated, ((at + 4, ">Q", 4, 1),))
        at += 12 + length
    return None
