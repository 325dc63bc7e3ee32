"""The boxes that an MP4 or QuickTime file consists of (ISO/IEC 14496-12): size, name, content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

# Files written in fragments have two boxes for each.
_MOST_BOXES = 1_000_000


class FileBox(NamedTuple):
    """Where a box lies in the file, in bytes, by its own word: `end` may be behind the end of the file."""

    name: bytes
    start: int
    content: int
    """The position in bytes at which the box's content starts."""
    end: int


def file_boxes(file: BinaryIO, size: int) -> Iterator[FileBox]:
    """Yield the outermost boxes of `file`, which has `size` bytes, in order.

    The last is the one that reaches to the end of the file or beyond. What is no box ends them; a rest of
    less than eight bytes is a box without a name that ends behind the file.
    """
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if not head:
            return
        if len(head) < 8:
            yield FileBox(b"", at, at, size + 1)
            return
        length, skipped = int.from_bytes(head[:4], "big"), 8
        if length == 1 and len(head) == 16:
            length, skipped = int.from_bytes(head[8:], "big"), 16
        # Zero stands for the rest of the file.
        length = length or size - at
        if length < skipped:
            return
        yield FileBox(head[4:8], at, at + skipped, at + length)
        at += length
        if at >= size:
            return
