"""Labels between the parts of a joined MP3 file, whose pictures hold what decoders take for sound."""

from __future__ import annotations

import mmap
from pathlib import Path

_HEAD_BYTES = 10


def spans_without_tags(path: Path) -> list[tuple[int, int]]:
    """The byte ranges of `path` between ID3v2 labels within it: one where there are none but in front."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        spans, start, at = [], 0, 1
        while (at := content.find(b"ID3", at)) >= 0:
            length = _tag_bytes(content[at : at + _HEAD_BYTES])
            # Three letters come up in sound by chance; sound or the end right behind a label does not.
            if length and _starts_sound(content[at + length : at + length + 3]):
                spans.append((start, at))
                start = at = at + length
            else:
                at += 1
        return [*spans, (start, len(content))]


def _tag_bytes(head: bytes) -> int:
    """Length of the label that `head` begins, 0 when it begins none."""
    if len(head) < _HEAD_BYTES or head[3] not in (2, 3, 4) or head[4] == 0xFF or max(head[6:]) > 127:
        return 0
    footer = _HEAD_BYTES if head[5] & 0x10 else 0
    return _HEAD_BYTES + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + footer


def _starts_sound(content: bytes) -> bool:
    return not content or content in (b"ID3", b"TAG") or (content[0] == 0xFF and content[1:2] >= b"\xe0")
