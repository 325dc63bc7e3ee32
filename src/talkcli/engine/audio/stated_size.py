"""How much larger a file's own structure says that it is, where ffmpeg does not tell."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO

from talkcli.engine.audio.pcm_header import sound_chunk

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
# An AVI that was never closed states about 4 GB.
_UNCLOSED = 0xFFFF_0000
_MOST_BOXES = 1_000_000


def stated_parts(path: Path) -> float | None:
    """The stated size over the size that is there, None where no more is stated than there is.

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
    at, in_fragments = 0, False
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return math.inf if head and in_fragments else None
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        in_fragments |= head[4:8] == b"moof"
        if length < 8:
            # Zero: to the end of the file.
            return None
        at += length
        if at > size:
            return math.inf if in_fragments else None
    return None
