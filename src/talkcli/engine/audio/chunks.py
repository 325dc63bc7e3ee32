"""Chunks beside the sound in WAV, AIFF, Wave64 and CAF: a reader must not take them for sound."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO

# First bytes of sound files. Behind the sound of a file they begin a second file that was joined to it.
BEGINNINGS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b".snd", b"caff", b"fLaC", b"OggS", b"riff\x2e")
# First bytes of the tags that players write behind the sound.
_TAGS = (b"TAG", b"ID3\2", b"ID3\3", b"ID3\4", b"APETAGEX", b"LYRICS", b"3DI")
# Known names of chunks: of WAV (broadcast, samplers, editors, metadata), AIFF and CAF.
_NAMES = (
    b"LIST", b"list", b"id3 ", b"ID3 ", b"bext", b"iXML", b"axml", b"aXML", b"_PMX", b"cue ", b"smpl",
    b"fact", b"JUNK", b"junk", b"PAD ", b"FLLR", b"inst", b"plst", b"labl", b"note", b"ltxt", b"acid",
    b"afsp", b"cart", b"levl", b"link", b"umid", b"chna", b"DISP", b"MD5 ", b"strc", b"minf", b"elm1",
    b"regn", b"ovwf", b"PEAK", b"Fake", b"ResU", b"SNDM", b"LGWV", b"dbmd", b"ubxt", b"PrOr", b"AFAn",
    b"qlty", b"mext", b"NAME", b"AUTH", b"(c) ", b"ANNO", b"COMT", b"MARK", b"INST", b"MIDI", b"AESD",
    b"APPL", b"SAXL", b"FVER", b"CHAN", b"COMM", b"BASC", b"TRNS", b"CATE", b"info", b"edct", b"mark",
    b"strg", b"peak", b"ovvw", b"uuid", b"midi", b"kuki", b"pakt", b"free", b"chan",
)  # fmt: skip
_ANY_NAME = re.compile(b"|".join(map(re.escape, _NAMES)))
# Number of bytes that `look_behind` reads.
_LOOK_BYTES = 4096
# Size in bytes of an ID3v1 tag, which is the last part of its file.
_LAST_TAG_BYTES = 128
# Number of bytes at the end of a file in which `start_of_last` looks for chunks: 16 MiB.
_TAIL_BYTES = 1 << 24
# Number of printable bytes that make text: sound of 8 bits does not stay printable for that long.
_LEAST_TEXT = 64
_PRINTABLE = bytes([*range(32, 127), 9, 10, 13])


@dataclass(frozen=True, kw_only=True)
class Chunks:
    """Layout of the chunks of a format."""

    head: str
    """Struct format of a chunk's head: name and length."""
    counts_head: bool = False
    """Whether the length includes the head."""
    align: int = 2
    """Number of bytes to a multiple of which chunks are padded."""

    def begins(self, after: bytes, left: int) -> bool:
        """Return whether `after` begins with a chunk of any printable name that fits into `left` bytes."""
        if after.startswith(BEGINNINGS) or len(after) < struct.calcsize(self.head):
            return False
        return all(32 <= letter < 127 for letter in after[:4]) and self._length(after) <= left

    def start_of_last(self, file: BinaryIO, begins: int, size: int) -> int:
        """Return the position of the chunks and tags that the file ends with.

        Only chunks of known names and an ID3v1 tag at the very end count.

        Args:
            file: File of the sound.
            begins: Position of the first byte of the sound.
            size: Size of the file in bytes.

        Returns:
            The position of the first of these bytes; `size` if the file ends with none.
        """
        file.seek(max(begins, size - _TAIL_BYTES))
        first = file.tell()
        tail = file.read()
        if tail[-_LAST_TAG_BYTES:].startswith(b"TAG") and len(tail) >= _LAST_TAG_BYTES:
            tail = tail[:-_LAST_TAG_BYTES]
        for found in _ANY_NAME.finditer(tail):
            if self._chain_end(tail, found.start()) == len(tail):
                return first + found.start()
        return first + len(tail)

    def _chain_end(self, tail: bytes, at: int) -> int:
        """Return the end of the last of the known chunks that follow one another from `at` on."""
        width = struct.calcsize(self.head)
        while tail.startswith(_NAMES, at) and at + width <= len(tail):
            end = at + self._length(tail[at : at + width])
            # Only some programs pad chunks.
            padded = end + -(end - at) % self.align
            is_padded = padded <= len(tail) and not tail[end:padded].strip(b"\0")
            at = padded if is_padded and (padded == len(tail) or not tail.startswith(_NAMES, end)) else end
        return at

    def _length(self, after: bytes) -> int:
        length = int(struct.unpack_from(self.head, after)[1])
        return max(length, 1) if self.counts_head else length + struct.calcsize(self.head)


RIFF, RIFX = Chunks(head="<4sI"), Chunks(head=">4sI")
AIFF = RIFX
WAVE64 = Chunks(head="<16sQ", counts_head=True, align=8)
CAF = Chunks(head=">4sQ", align=1)


def look_behind(file: BinaryIO, end: int) -> bytes:
    """Return up to 4096 bytes from position `end` on."""
    file.seek(end)
    return file.read(_LOOK_BYTES)


def is_known(after: bytes) -> bool:
    """Return whether `after` begins with the known name of a chunk; the chunk may be cut off."""
    return after.startswith(_NAMES)


def is_no_sound(after: bytes) -> bool:
    """Return whether `after` is a tag or text; zeros in front of it do not count."""
    after = after.lstrip(b"\0")
    start = after.removeprefix(b"\xef\xbb\xbf")
    is_text = len(start) >= _LEAST_TEXT and not start[:_LEAST_TEXT].strip(_PRINTABLE)
    return after.startswith(_TAGS) or start.startswith(b"<?xml") or is_text
