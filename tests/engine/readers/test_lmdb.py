"""A database as the lmdb library writes it: found values, and two hundred damaged ones.

golden/lmdb/keys.mdb.xz was written by lmdb 1.4.1: key/000 to key/399 hold their number up to 49 times, every
seventh is deleted again, and long/0 to long/4 hold their digit 3000 times and 4096 times more from one to the
next. So there are branches, pages that nothing leads to, and values with pages of their own.
"""

from __future__ import annotations

import lzma
import os
import struct
from pathlib import Path

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.readers import lmdb
from talkcli.engine.readers.lmdb import Place, read_index, read_value
from tests.engine.data.mutations import survives

CONTENT = lzma.decompress((Path(__file__).parents[2] / "golden/lmdb/keys.mdb.xz").read_bytes())


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "data.mdb"
    path.write_bytes(CONTENT)
    return path


def test_every_value_is_found(database: Path) -> None:
    expected = {f"key/{i:03d}": f"{i:03d}" * (i % 50) for i in range(400) if i % 7}
    expected |= {f"long/{i}": f"{i}" * (3000 + 4096 * i) for i in range(5)}
    index = read_index(database)
    assert list(index) == sorted(expected)
    assert {key: read_value(database, place).decode() for key, place in index.items()} == expected


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda content: b"", "ends before byte"),
        (lambda content: content[: len(content) // 2], "ends before byte|does not match the tree"),
        (lambda content: bytes(len(content)), "zero bytes, not the file itself"),
        (lambda content: content.replace(b"\xde\xc0\xef\xbe\x01", b"\xde\xc0\xef\xbe\x02"), "version 2"),
        (lambda content: content.replace(b"key/398", b"key/300"), "the key key/300 is out of order"),
        (lambda content: content.replace(b"key/398", b"key/39\xff"), "a key is not printable ASCII text"),
        (lambda content: content.replace(b"key/398", b"key/39\x7f"), "a key is not printable ASCII text"),
    ],
)
def test_damage_is_told(database: Path, change: object, told: str) -> None:
    assert callable(change)
    database.write_bytes(change(CONTENT))
    with pytest.raises(InputError, match=told):
        read_index(database)


def test_no_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a regular file"):
        read_index(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_index(tmp_path / "data.mdb")


def test_a_file_that_became_shorter(database: Path) -> None:
    with pytest.raises(InputError, match="has become shorter"):
        read_value(database, Place(start=len(CONTENT) - 5, length=6))


def test_a_database_of_millions_and_a_value_of_gigabytes(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="a value of 4294967295 bytes, more than any clip"):
        read_value(database, Place(start=0, length=(1 << 32) - 1))
    monkeypatch.setattr(lmdb, "_MOST_ENTRIES", 300)
    os.utime(database, ns=(1, 1))
    with pytest.raises(InputError, match="347 entries are more than 300"):
        read_index(database)
    # What the first page counts is not believed either.
    counted = struct.pack("<Q", 347)
    assert CONTENT.count(counted) == 1
    database.write_bytes(CONTENT.replace(counted, struct.pack("<Q", 100)))
    with pytest.raises(InputError, match="it has more than 100 entries"):
        read_index(database)


def test_mutations(database: Path) -> None:
    def read(mutant: bytes) -> dict[str, bytes]:
        database.write_bytes(mutant)
        return {key: read_value(database, place) for key, place in read_index(database).items()}

    def plausible(values: object) -> bool:
        return isinstance(values, dict) and sum(map(len, values.values())) <= len(CONTENT)

    assert survives(read, CONTENT, plausible=plausible) > 50
