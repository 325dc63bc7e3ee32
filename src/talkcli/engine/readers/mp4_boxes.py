"""Boxes of an MP4 or QuickTime file (ISO/IEC 14496-12): each box has a size, a name and content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

# Greatest number of boxes that are listed; a fragmented file has two boxes for each fragment.
_MOST_BOXES = 1_000_000


class FileBox(NamedTuple):
    """Place of a box in the file, as the box's own header states it."""

    name: bytes
    """Name of the box, four bytes; empty for a remainder that is too short for a header."""
    start: int
    """Position of the box in the file, in bytes."""
    content: int
    """Position of the box's content in the file, in bytes."""
    end: int
    """Position in bytes at which the box ends; it may lie beyond the end of the file."""


def file_boxes(file: BinaryIO, size: int) -> Iterator[FileBox]:
    """Yield the outermost boxes of `file`, which has `size` bytes, in order.

    The last box reaches to the end of the file or beyond. A header whose length is too small ends the list. A
    remainder of less than eight bytes is yielded as a box without a name that ends beyond the file.
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
        # A length of zero means that the box reaches to the end of the file.
        length = length or size - at
        if length < skipped:
            return
        yield FileBox(head[4:8], at, at + skipped, at + length)
        at += length
        if at >= size:
            return
