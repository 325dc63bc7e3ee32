"""GLB, the container of binary glTF: a chunk of JSON and a chunk of bytes.

Source: Khronos, glTF 2.0 specification, chapter "GLB File Format".
"""

from __future__ import annotations

import struct

MAGIC = b"glTF"
_VERSION = 2
_JSON, _BIN = 0x4E4F534A, 0x004E4942
_HEADER, _CHUNK = struct.Struct("<4sII"), struct.Struct("<II")
# Chunks start at multiples of this.
_STEP = 4


def split(data: bytes) -> tuple[bytes, bytes | None]:
    """Return the JSON of a GLB and its binary chunk, None where it has none.

    Other chunks are passed over, as the standard asks. Raises ValueError for damage and for other versions.
    """
    if len(data) < _HEADER.size + _CHUNK.size:
        raise ValueError(f"it has {len(data)} bytes")
    _, version, length = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise ValueError(f"it has version {version} of the format, {_VERSION} is read")
    if not _HEADER.size <= length <= len(data):
        raise ValueError(f"it states a length of {length} bytes and has {len(data)}")
    found: dict[int, bytes] = {}
    at = _HEADER.size
    while at + _CHUNK.size <= length:
        size, kind = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        if at + size > length:
            raise ValueError(f"it has a chunk of {size} bytes where {length - at} are left")
        if not found and kind != _JSON:
            break
        found.setdefault(kind, data[at : at + size])
        at += size
    if _JSON not in found:
        raise ValueError("it does not begin with a chunk of JSON")
    return found[_JSON], found.get(_BIN)


def join(text: bytes, binary: bytes) -> bytes:
    """Return the GLB of JSON and binary data; without a binary chunk where there is no such data."""
    chunks = [_padded(_JSON, text, b" ")]
    if binary:
        chunks.append(_padded(_BIN, binary, b"\0"))
    return b"".join([_HEADER.pack(MAGIC, _VERSION, _HEADER.size + sum(map(len, chunks))), *chunks])


def _padded(kind: int, data: bytes, padding: bytes) -> bytes:
    data += padding * (-len(data) % _STEP)
    return _CHUNK.pack(len(data), kind) + data
