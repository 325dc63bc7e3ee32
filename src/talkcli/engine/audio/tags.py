"""Removal of tags before, between and after sound: decoders take parts of their pictures for sound.

The module knows ID3v2 and APE tags. They belong to MP3 and ADTS, but some programs put them before any sound.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from talkcli.engine.files import temporary_folder

# First bytes of the tags.
_ID3, _APE = b"ID3", b"APETAGEX"
_STARTS = re.compile(b"ID3|APETAGEX")
# Size in bytes of the tags' headers.
_ID3_BYTES, _APE_BYTES = 10, 32
# Flag of an APE header, which a footer lacks.
_APE_IS_HEADER = 1 << 29
# Number of bytes that are read at a time.
_COPY_BYTES = 1 << 20


@contextmanager
def without_leading_tags(path: Path) -> Iterator[Path]:
    """Yield a file without the tags (and zeros) at the beginning of `path`.

    It is `path` itself if there are none, or if nothing follows them.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        size, start = len(content), 0
        while length := _tag_bytes(content, start):
            start = _behind_zeros(content, start + length)
    if not 0 < start < size:
        yield path
        return
    with extract(path, [(start, size)]) as rest:
        yield Path(rest.name)


def spans_without_tags(path: Path) -> list[tuple[int, int]]:
    """Return the byte ranges of `path` outside its tags: first byte and end (excluded) of each."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        spans, start, at = [], 0, 1
        while (found := _STARTS.search(content, at)) is not None:
            at = found.start()
            length = _tag_bytes(content, at)
            behind = _behind_zeros(content, at + length) if length else at
            # The letters occur in sound by chance; a whole tag with sound or the end behind it does not.
            if length and _starts_sound(content[behind : behind + len(_APE)]):
                spans.append((start, at))
                start = at = behind
            else:
                at += 1
        return [span for span in (*spans, (start, len(content))) if span[0] < span[1]]


@contextmanager
def extract(path: Path, spans: Sequence[tuple[int, int]]) -> Iterator[IO[bytes]]:
    """Copy the byte ranges `spans` of `path` to a temporary file; yield the file, open at its beginning."""
    with path.open("rb") as whole, temporary_folder() as folder, (folder / "sound").open("w+b") as part:
        for start, end in spans:
            whole.seek(start)
            for at in range(start, end, _COPY_BYTES):
                part.write(whole.read(min(_COPY_BYTES, end - at)))
        part.seek(0)
        yield part


def _tag_bytes(content: mmap.mmap, at: int) -> int:
    """Return the length in bytes of the tag at `at`; 0 if none begins there or it would exceed the file."""
    head = content[at : at + _APE_BYTES]
    length = 0
    if head.startswith(_ID3) and len(head) >= _ID3_BYTES:
        if head[3] in (2, 3, 4) and head[4] != 0xFF and max(head[6:_ID3_BYTES]) <= 127:
            footer = _ID3_BYTES if head[5] & 0x10 else 0
            length = _ID3_BYTES + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + footer
    elif head.startswith(_APE) and len(head) == _APE_BYTES:
        version, stated, _, flags = (
            int.from_bytes(head[part : part + 4], "little") for part in (8, 12, 16, 20)
        )
        if version in (1000, 2000) and flags & _APE_IS_HEADER:
            length = _APE_BYTES + stated
    return length if at + length <= len(content) else 0


def _behind_zeros(content: mmap.mmap, at: int) -> int:
    """Return the position of the first byte from `at` on that is not zero; the end if there is none."""
    while block := content[at : at + _COPY_BYTES]:
        rest = block.lstrip(b"\0")
        at += len(block) - len(rest)
        if rest:
            break
    return at


def _starts_sound(content: bytes) -> bool:
    """Return whether `content` is empty or begins with a tag or a block of MP3 or ADTS."""
    return (
        not content
        or content.startswith((_ID3, b"TAG", _APE))
        or (content[0] == 0xFF and content[1:2] >= b"\xe0")
    )
