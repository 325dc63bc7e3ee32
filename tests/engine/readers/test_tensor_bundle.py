from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.readers.tensor_bundle import masked_crc32c, read_bundle
from tests.engine.readers.bundle_writer import crc32c, write_bundle


def tensors() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    shapes = {f"net/layer{number}/weights": (3, 1, number + 1, 5) for number in range(12)}
    return {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()} | {
        "global_step": np.array(52280, np.int64),
        "net/empty": np.zeros((0, 4), np.float32),
        "net/double": draw.normal(size=3),
    }


def test_checksum() -> None:
    # The check value of the catalogue of CRC algorithms, before the mask.
    plain = 0xE3069283
    assert (
        masked_crc32c(np.frombuffer(b"123456789", np.uint8))
        == ((plain >> 15 | plain << 17) + 0xA282EAD8) % 2**32
    )
    assert masked_crc32c(np.frombuffer(b"", np.uint8)) == crc32c(b"")


@pytest.mark.parametrize("shards", [1, 3])
def test_every_tensor_comes_back(tmp_path: Path, shards: int) -> None:
    index = write_bundle(tmp_path / "step_1.model", tensors(), shards=shards)
    read = read_bundle(index)
    assert list(read) == sorted(tensors())
    for name, value in tensors().items():
        assert read[name].dtype == value.dtype
        np.testing.assert_array_equal(read[name], value)


def test_other_types_are_left_out(tmp_path: Path) -> None:
    index = write_bundle(tmp_path / "m", tensors() | {"flag": np.array(True)})
    assert "flag" not in read_bundle(index)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"kind": 1}, "blocks are compressed"),
        ({"data": "short"}, "ends before the tensor"),
        ({"data": "other"}, "the checksum of net/double|the checksum of"),
        ({"data": "none"}, "There is no file"),
        ({"index": "tail"}, "does not end as one"),
        ({"index": "byte"}, "the checksum of a block"),
    ],
)
def test_damage_is_said(tmp_path: Path, damage: dict[str, object], said: str) -> None:
    index = write_bundle(tmp_path / "m", tensors(), kind=damage.get("kind", 0))  # type: ignore[arg-type]
    data = tmp_path / "m.data-00000-of-00001"
    content = data.read_bytes()
    if damage.get("data") == "short":
        data.write_bytes(content[:40])
    if damage.get("data") == "other":
        data.write_bytes(content[:-2] + b"\1" + content[-1:])
    if damage.get("data") == "none":
        data.unlink()
    table = bytearray(index.read_bytes())
    if damage.get("index") == "tail":
        index.write_bytes(table[:-1])
    if damage.get("index") == "byte":
        table[20] ^= 1
        index.write_bytes(table)
    with pytest.raises(InputError, match=said):
        read_bundle(index)


def test_another_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "m.data-00000-of-00001").write_bytes(bytes(100))
    with pytest.raises(InputError, match=r"no \.index file"):
        read_bundle(tmp_path / "m.data-00000-of-00001")


def test_no_damage_escapes(tmp_path: Path) -> None:
    """Bytes that change anywhere, with checksums set right again or not, give tensors or an InputError, and
    allocate no more than the files have.
    """
    index = write_bundle(tmp_path / "m", tensors(), per_block=40)
    sound = index.read_bytes()
    draw = np.random.default_rng(0)
    refused = 0
    tracemalloc.start()
    for round_ in range(200):
        table = bytearray(sound)
        for place in draw.integers(0, len(table), draw.integers(1, 4)):
            table[place] = draw.integers(256)
        if round_ % 2:
            # The first block's own checksum, so that damage behind it is met.
            size = first_block(sound)
            crc = masked_crc32c(np.frombuffer(bytes(table), np.uint8, size + 1))
            table[size + 1 : size + 5] = crc.to_bytes(4, "little")
        if round_ % 5 == 0:
            table = table[: draw.integers(len(table))]
        index.write_bytes(table)
        try:
            read_bundle(index)
        except InputError:
            refused += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused > 150 and peak < 1 << 22


def first_block(table: bytes) -> int:
    """Return the size of the only block of data: the next one is the empty one of metadata."""
    return table.index(bytes(4) + (1).to_bytes(4, "little") + b"\0") + 8
