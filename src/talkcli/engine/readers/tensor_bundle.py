"""Reader of TensorFlow's checkpoints without TensorFlow: the bundle of an `.index` and its `.data` files.

The index is a sorted table as LevelDB writes it: blocks of entries, each with the length of what its key
shares with the key before; every block ends with a kind of compression and a checksum. A value is a protocol
buffer that says the type, shape, file, place and checksum of a tensor. Source: the public descriptions of
LevelDB's table format, of protocol buffers' encoding, and of TensorFlow's `tensor_bundle.proto`. Compressed
blocks, sliced tensors and tensors of other than numbers are not read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.jit import kernel
from talkcli.engine.readers.regular import open_file

SUFFIX = ".index"
_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
# A block ends with one byte for its compression and four for its checksum.
_TRAILER_BYTES = 5
# An index has about a hundred bytes for each tensor.
_MOST_INDEX_BYTES = 1 << 24
# As for other files of weights.
_MOST_BYTES = 1 << 34
_MOST_SHARDS = 1000
_MOST_AXES = 8
# Numbers of TensorFlow's types.
_DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    9: np.dtype("<i8"),
}
# Wire types of protocol buffers.
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5


class _DamagedError(Exception):
    """The bytes are no bundle; its text says why."""


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """Where a tensor lies."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int


def read_bundle(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of numbers in the checkpoint with the index `path`, by name, in the index's order.

    Raises InputError for a file that is no index, is damaged, compressed or sliced, and for a missing or
    damaged data file.
    """
    if path.suffix != SUFFIX:
        raise InputError(f"{path} is no {SUFFIX} file.", hint=f"Give the {SUFFIX} file of the checkpoint.")
    with open_file(path) as file:
        is_large = file.seek(0, 2) > _MOST_INDEX_BYTES
        file.seek(0)
        index = b"" if is_large else file.read()
    try:
        if is_large:
            raise _DamagedError(f"it is larger than {_MOST_INDEX_BYTES} bytes")
        items = dict(_items(index))
        shards = _num_shards(items.pop(b"", b""))
        entries = {key.decode(): _entry(value) for key, value in items.items()}
    except (_DamagedError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no readable index of a TensorFlow checkpoint: {error}.") from error
    wanted = {name: entry for name, entry in entries.items() if entry.dtype in _DTYPES}
    if sum(entry.size for entry in wanted.values()) > _MOST_BYTES:
        raise InputError(f"{path} names more than {_MOST_BYTES} bytes of tensors.")
    return {name: _tensor(path, name, entry, shards) for name, entry in wanted.items()}


def _tensor(path: Path, name: str, entry: _Entry, shards: int) -> np.ndarray:
    dtype = _DTYPES[entry.dtype]
    if entry.shard >= shards or math.prod(entry.shape) * dtype.itemsize != entry.size:
        raise InputError(f"{path}: the entry of {name} contradicts itself.")
    data = path.with_name(f"{path.name.removesuffix(SUFFIX)}.data-{entry.shard:05}-of-{shards:05}")
    with open_file(data) as file:
        # What the index promises is allocated only if it is there.
        if entry.offset + entry.size > file.seek(0, 2):
            raise InputError(f"{data} ends before the tensor {name}.")
        file.seek(entry.offset)
        content = np.frombuffer(file.read(entry.size), np.uint8)
    if masked_crc32c(content) != entry.crc:
        raise InputError(f"{data} is damaged: the checksum of {name} is another.")
    return np.frombuffer(content, dtype).reshape(entry.shape)


def _items(index: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of the table in their order."""
    footer = index[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise _DamagedError("it does not end as one")
    at = _handle(footer, 0)[1]
    (offset, size), _ = _handle(footer, at)
    for _key, value in _block(index, offset, size):
        place, end = _handle(value, 0)
        if end != len(value):
            raise _DamagedError("a place has more than two numbers")
        yield from _block(index, *place)


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    end = offset + size
    if end + _TRAILER_BYTES > len(index) - _FOOTER_BYTES:
        raise _DamagedError("a block lies outside")
    if index[end] != 0:
        raise _DamagedError("its blocks are compressed")
    told = int.from_bytes(index[end + 1 : end + _TRAILER_BYTES], "little")
    if masked_crc32c(np.frombuffer(index, np.uint8, size + 1, offset)) != told:
        raise _DamagedError("the checksum of a block is another")
    block = index[offset:end]
    restarts = int.from_bytes(block[-4:], "little")
    last, at, key = len(block) - 4 * (restarts + 1), 0, b""
    if last < 0:
        raise _DamagedError("a block is too short")
    while at < last:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        if shared > len(key) or at + own + length > last:
            raise _DamagedError("an entry lies outside its block")
        key = key[:shared] + block[at : at + own]
        at += own + length
        yield key, block[at - length : at]


def _num_shards(header: bytes) -> int:
    """Return the number of data files that the header names."""
    shards, order = 0, 0
    for field, value in _fields(header):
        if field == 1 and isinstance(value, int):
            shards = value
        if field == 2 and isinstance(value, int):
            order = value
    if not 0 < shards <= _MOST_SHARDS or order != 0:
        raise _DamagedError("its header names no data files, or another order of bytes")
    return shards


def _entry(value: bytes) -> _Entry:
    numbers, shape = dict.fromkeys((1, 3, 4, 5, 6), 0), b""
    for field, found in _fields(value):
        if field == 7:
            raise _DamagedError("a tensor is stored in slices")
        if field == 2 and isinstance(found, bytes):
            shape = found
        elif field in numbers and isinstance(found, int):
            numbers[field] = found
    return _Entry(
        dtype=numbers[1],
        shape=_shape(shape),
        shard=numbers[3],
        offset=numbers[4],
        size=numbers[5],
        crc=numbers[6],
    )


def _shape(value: bytes) -> tuple[int, ...]:
    sides = []
    for field, axis in _fields(value):
        if field == 2 and isinstance(axis, bytes):
            sizes = [size for part, size in _fields(axis) if part == 1 and isinstance(size, int)]
            sides.append(sizes[-1] if sizes else 0)
    if len(sides) > _MOST_AXES or max(sides, default=0) > _MOST_BYTES:
        raise _DamagedError("a tensor has an impossible shape")
    return tuple(sides)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a protocol buffer."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        length = {_EIGHT: 8, _FOUR: 4}.get(wire, 0)
        if wire == _LENGTH:
            length, at = _varint(message, at)
        elif not length:
            raise _DamagedError("a field has an unknown form")
        if at + length > len(message):
            raise _DamagedError("a field is longer than its message")
        part = message[at : at + length]
        at += length
        yield tag >> 3, part if wire == _LENGTH else int.from_bytes(part, "little")


def _handle(content: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Return offset and size of a block, and where they end."""
    offset, at = _varint(content, at)
    size, at = _varint(content, at)
    return (offset, size), at


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        byte = content[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
    raise _DamagedError("a number does not end")


def masked_crc32c(content: np.ndarray) -> int:
    """Return the checksum of bytes as LevelDB stores it: CRC-32C, rotated and shifted by a constant."""
    crc = int(_crc32c(content, _TABLE))
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@kernel
def _crc32c(content: np.ndarray, table: np.ndarray) -> np.uint32:
    crc = np.uint32(0xFFFFFFFF)
    for byte in content:
        crc = table[(crc ^ byte) & np.uint32(255)] ^ (crc >> np.uint32(8))
    return crc ^ np.uint32(0xFFFFFFFF)


def _table() -> np.ndarray:
    """Return the remainders of all bytes by Castagnoli's polynomial, its bits reversed."""
    rows = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        rows = np.where(rows & 1, (rows >> 1) ^ np.uint32(0x82F63B78), rows >> 1).astype(np.uint32)
    return rows


_TABLE = _table()
