"""Size that a file states, for formats in which ffmpeg does not report that a file is cut."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO

from talkcli.engine.audio.pcm_header import sound_chunk
from talkcli.engine.readers.mp4_boxes import file_boxes

# GUIDs of an ASF file (Windows Media) and of its file properties, which state the size of the file.
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
# Stated size in bytes from which on an AVI file was never closed: it then states about 4 GB.
_UNCLOSED = 0xFFFF_0000


def stated_parts(path: Path) -> float | None:
    """Return the ratio of the stated size to the actual size; None if the file states no larger size.

    The function reads uncompressed formats, AVI, Windows Media files and fragmented MP4. The latter does not
    state the number of its fragments, so the result is infinite if the file ends within one.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(5000)
        if head.startswith(_ASF):
            at = head.find(_ASF_PROPERTIES)
            stated = int.from_bytes(head[at + 40 : at + 48], "little") if at >= 0 else 0
            return stated / size if stated > size else None
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            stated = int.from_bytes(head[4:8], "little") + 8
            return stated / size if size < stated < _UNCLOSED else None
        if head[4:8] == b"ftyp":
            return _fragmented(file, size)
    chunk = sound_chunk(path)
    if chunk is None or chunk.is_open_ended or not 0 < chunk.available < chunk.stated:
        return None
    return chunk.stated / chunk.available


def _fragmented(file: BinaryIO, size: int) -> float | None:
    """Return infinity if a fragmented MP4 file ends within a box, else None."""
    in_fragments, end = False, 0
    for box in file_boxes(file, size):
        in_fragments, end = in_fragments or box.name == b"moof", box.end
    return math.inf if in_fragments and end > size else None
