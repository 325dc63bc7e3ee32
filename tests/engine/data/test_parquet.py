"""The manifest as a table: the same rows, readable by anyone's pyarrow, and refused when it is damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from pydantic import BaseModel

from talkcli.engine.data.manifest import Digests, Entry, MeshFiles, read_manifest, write_manifest
from talkcli.engine.data.parquet import COLUMNS, read_parquet, write_parquet
from talkcli.engine.errors import InputError
from talkcli.engine.origin import Origin
from tests.engine.data.mutations import survives

_DIGEST = "0123456789abcdef" * 4
_SPOKEN = Entry(
    id="set/a.b-1",
    audio="audio/set/a.b-1.flac",
    motion="motion/set/a.b-1.npz",
    origin=Origin(kind="animated", by="größer"),
    fps=29.97,
    num_frames=120,
    duration_s=4.004,
    speaker="Ünal | 1",
    sex="female",
    text="one\u2028two",
    phones="phones/set/a.b-1.TextGrid",
    emotion="happy",
    intensity=0.5,
    split="train",
    sha256=Digests(audio=_DIGEST, motion=_DIGEST, phones=_DIGEST),
    licence="MIT",
)
_SCANNED = Entry(
    id="scan",
    mesh=MeshFiles(vertices="mesh/scan.npy", neutral="mesh/neutral/s.npy", topology="biwi"),
    fps=25.0,
    speaker="s",
    emotion="neutral",
    intensity=0.0,
    split="test",
    still=True,
    sha256=Digests(vertices=_DIGEST, neutral=_DIGEST),
    licence="unknown",
)
_ENTRIES = (_SPOKEN, _SCANNED)


def _rows() -> list[dict[str, object]]:
    return [entry.model_dump(mode="json", exclude_none=True) for entry in _ENTRIES]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_parquet(tmp_path / "manifest.parquet", _rows())
    return tmp_path / "manifest.parquet"


def test_columns_are_the_fields_of_the_manifest() -> None:
    nested: dict[str, type[BaseModel]] = {"mesh": MeshFiles, "origin": Origin, "sha256": Digests}
    names = []
    for name in Entry.model_fields:
        names += [f"{name}_{field}" for field in nested[name].model_fields] if name in nested else [name]
    assert list(COLUMNS) == names


def test_rows_come_back(path: Path, tmp_path: Path) -> None:
    assert read_manifest(path) == list(_ENTRIES)
    for name in ("other.parquet", "other.jsonl"):
        write_manifest(tmp_path / name, _ENTRIES)
        assert read_manifest(tmp_path / name) == list(_ENTRIES)
    assert (tmp_path / "other.parquet").read_bytes() == path.read_bytes()


def test_a_folder_whose_name_is_not_unicode(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff") / "manifest.parquet"
    write_manifest(odd, [_SPOKEN])
    assert read_manifest(odd) == [_SPOKEN]


def test_rows_are_held_to_what_lines_are_held_to(path: Path) -> None:
    write_parquet(path, [_rows()[0] | {"intensity": 2.0}])
    with pytest.raises(InputError, match=r"row 1: intensity"):
        read_manifest(path)
    write_parquet(path, _rows() + _rows())
    with pytest.raises(InputError, match=r"row 3: id set/a.b-1 stands on row 1 already"):
        read_manifest(path)


def test_anyones_pyarrow_reads_it(path: Path) -> None:
    table = parquet.read_table(path)
    assert table.num_rows == 2
    assert table.column("fps").to_pylist() == [29.97, 25.0]
    assert table.column("audio").to_pylist() == ["audio/set/a.b-1.flac", None]
    assert table.column("sha256_vertices").to_pylist() == [None, _DIGEST]
    assert table.column("mesh_topology").to_pylist() == [None, "biwi"]
    assert table.column("still").to_pylist() == [False, True]
    assert table.schema.metadata[b"talk_format"] == b"3"


def test_tables_of_earlier_formats_are_read(path: Path) -> None:
    table = parquet.read_table(path).drop_columns(["origin_kind", "origin_by"])
    parquet.write_table(table.replace_schema_metadata({b"talk_format": b"2"}), path)
    first, second = read_manifest(path)
    assert (first.phones, first.origin) == (_SPOKEN.phones, None)
    assert second == _SCANNED
    table = table.drop_columns(["phones", "sha256_phones"])
    parquet.write_table(table.replace_schema_metadata({b"talk_format": b"1"}), path)
    first, second = read_manifest(path)
    assert (first.text, first.phones, first.sha256.phones) == (_SPOKEN.text, None, None)
    assert second == _SCANNED


def test_equal_rows_are_equal_files(path: Path, tmp_path: Path) -> None:
    write_parquet(tmp_path / "again.parquet", iter(_rows()))
    assert (tmp_path / "again.parquet").read_bytes() == path.read_bytes()


def test_tables_that_are_no_manifests(path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no manifest"):
        read_parquet(tmp_path / "absent.parquet")
    table = parquet.read_table(path)
    for changed in (
        table.drop_columns(["audio"]),
        table.append_column("colour", pyarrow.array(["red", "blue"])),
        table.replace_schema_metadata({b"talk_format": b"4"}),
        # Columns of later formats in a table of an earlier one, and none in one of their own.
        table.replace_schema_metadata({b"talk_format": b"1"}),
        table.replace_schema_metadata({b"talk_format": b"2"}),
        table.drop_columns(["origin_by"]),
        table.drop_columns(["phones"]),
        table.replace_schema_metadata({}),
        table.set_column(2, "motion", pyarrow.array([1, 2])),
    ):
        parquet.write_table(changed, path)
        with pytest.raises(InputError, match="not a manifest that this version reads"):
            read_parquet(path)


def test_damage_is_refused_or_harmless(path: Path) -> None:
    whole = read_manifest(path)

    def read(content: bytes) -> object:
        path.write_bytes(content)
        return read_manifest(path)

    assert survives(read, path.read_bytes(), plausible=lambda rows: rows == whole) > 100


@pytest.mark.parametrize(("num_rows", "length"), [(2_000_000, 1), (900, 1_000_000), (2000, 50_000)])
def test_equal_rows_do_not_unfold_to_gigabytes(path: Path, num_rows: int, length: int) -> None:
    table = parquet.read_table(path).slice(0, 1)
    table = table.set_column(2, table.column_names[2], [["x" * length]])
    many = table.take(pyarrow.repeat(0, num_rows)) if length == 1 else None
    if many is None:
        columns = [
            pyarrow.DictionaryArray.from_arrays(pyarrow.repeat(0, num_rows), column.combine_chunks())
            if str(column.type) == "string" and column.null_count == 0
            else column.take(pyarrow.repeat(0, num_rows))
            for column in table.columns
        ]
        many = pyarrow.table(columns, names=table.column_names).replace_schema_metadata(table.schema.metadata)
    parquet.write_table(many, path, compression="zstd", write_page_checksum=True, store_schema=False)
    with pytest.raises(InputError):
        read_parquet(path)


def test_a_thousand_rows_are_read(path: Path) -> None:
    rows = [{**_rows()[0], "id": f"clip-{index}"} for index in range(5000)]
    write_parquet(path, rows)
    assert read_parquet(path) == rows
