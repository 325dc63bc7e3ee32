"""The size that a file's own structure states, where ffmpeg does not report a cut file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO

from talkcli.engine.audio.pcm_header import sound_chunk
from talkcli.engine.readers.mp4_boxes import file_boxes

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
# An AVI that was never closed states about 4 GB.
_UNCLOSED = 0xFFFF_0000


def stated_parts(path: Path) -> float | None:
    """Return the stated size over the size that is there, None where no more is stated than there is.

    Read are uncompressed formats, AVI, Windows Media files, and MP4 in fragments, whose number nothing
    states: infinite when the file ends within one.
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
    """Return infinity when a fragmented file ends within a box, else None."""
    in_fragments, end = False, 0
    for box in file_boxes(file, size):
        in_fragments, end = in_fragments or box.name == b"moof", box.end
    return math.inf if in_fragments and end > size else None
