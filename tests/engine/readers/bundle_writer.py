"""Writes checkpoints as TensorFlow does, by the public description of the format, without talk's code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

_TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "bool": 10}


def crc32c(content: bytes) -> int:
    """Bit by bit, masked as LevelDB masks it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(items: Mapping[bytes, bytes], *, restart_every: int = 16, kind: int = 0) -> bytes:
    made, before, restarts = b"", b"", []
    for count, (key, value) in enumerate(sorted(items.items())):
        shared = 0
        if count % restart_every == 0:
            restarts.append(len(made))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        made += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    made += b"".join(at.to_bytes(4, "little") for at in [*restarts, len(restarts)])
    made += bytes([kind])
    return made + crc32c(made).to_bytes(4, "little")


def write_bundle(
    prefix: Path, tensors: Mapping[str, np.ndarray], *, per_block: int = 7, shards: int = 1, kind: int = 0
) -> Path:
    """Write PREFIX.index and its data files, and return the path of the index."""
    data = [b""] * shards
    items = {b"": field(1, shards) + field(3, field(1, 1))}
    for count, (name, value) in enumerate(sorted(tensors.items())):
        content, shard = value.tobytes(), count % shards
        shape = b"".join(field(2, field(1, side)) for side in value.shape)
        items[name.encode()] = (
            field(1, _TYPES[value.dtype.name]) + field(2, shape)
            + (field(3, shard) if shard else b"") + (field(4, len(data[shard])) if data[shard] else b"")
            + field(5, len(content)) + varint(6 << 3 | 5) + crc32c(content).to_bytes(4, "little")
        )  # fmt: skip
        data[shard] += content
    for shard, content in enumerate(data):
        prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{shards:05}").write_bytes(content)
    table, places, keys = b"", {}, sorted(items)
    for at in range(0, len(keys), per_block):
        some = keys[at : at + per_block]
        made = block({key: items[key] for key in some}, kind=kind)
        places[some[-1]] = varint(len(table)) + varint(len(made) - 5)
        table += made
    handles = b""
    for made in (block({}), block(places, restart_every=1)):
        handles += varint(len(table)) + varint(len(made) - 5)
        table += made
    table += handles.ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")
    index = prefix.with_name(prefix.name + ".index")
    index.write_bytes(table)
    return index
