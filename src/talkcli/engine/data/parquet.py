"""The manifest for machines: rows and fields of manifest.jsonl as Parquet, nested fields as PARENT_FIELD.

Equal rows are equal files under one version of pyarrow. The file's metadata hold `talk_format`, its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.regular import check_file
from talkcli.engine.wording import counted

PARQUET = ".parquet"
FORMAT = 3
_FORMAT_KEY = b"talk_format"
_NESTED = ("mesh", "origin", "sha256")
# Arrow's names of types by column, in the order of the manifest's fields.
COLUMNS: Mapping[str, str] = {
    "id": "string", "audio": "string", "motion": "string", "mesh_vertices": "string",
    "mesh_neutral": "string", "mesh_topology": "string", "origin_kind": "string", "origin_by": "string",
    "fps": "double", "num_frames": "int64",
    "duration_s": "double", "speaker": "string", "sex": "string", "text": "string", "phones": "string",
    "emotion": "string", "intensity": "double", "split": "string", "still": "bool", "sha256_audio": "string",
    "sha256_motion": "string", "sha256_vertices": "string", "sha256_neutral": "string",
    "sha256_phones": "string", "licence": "string",
}  # fmt: skip
# The format that brought a column in, where that is not the first.
_SINCE: Mapping[str, int] = {"phones": 2, "sha256_phones": 2, "origin_kind": 3, "origin_by": 3}
# What a file may unfold to: rows, and bytes of text. A thousand rows are read together.
_ROWS, _MOST_ROWS, _BYTES_PER_ROW = 1000, 100_000, 8
_GROWTH, _GROWTH_BYTES = 64, 1 << 24
# pyarrow is loaded where it is used: clips are made in processes that never write a manifest.


def write_parquet(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the manifest's lines, as JSON holds them; the file appears whole or not at all."""
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema(
        [pyarrow.field(name, pyarrow.type_for_alias(kind)) for name, kind in COLUMNS.items()],
        metadata={_FORMAT_KEY: str(FORMAT).encode()},
    )
    table = pyarrow.Table.from_pylist([_flat(row) for row in rows], schema=schema)
    # Arrow gets open files: it takes no path whose bytes are not UTF-8.
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        parquet.write_table(table, file, compression="zstd", write_page_checksum=True)


def read_parquet(path: Path) -> list[dict[str, Any]]:
    """Return the lines as `write_parquet` was given them, without what is empty.

    Raises InputError for a file that is missing or damaged, is no such table, or has a newer format.
    """
    import pyarrow
    from pyarrow import parquet

    if not path.is_file():
        raise InputError(f"There is no manifest {path}.", hint="Make one with talk preprocess.")
    check_file(path)
    try:
        with path.open("rb") as raw, parquet.ParquetFile(raw) as file:
            text = [name for name in file.schema_arrow.names if COLUMNS.get(name) == "string"]
        with (
            path.open("rb") as raw,
            parquet.ParquetFile(raw, page_checksum_verification=True, read_dictionary=text) as file,
        ):
            number = (file.schema_arrow.metadata or {}).get(_FORMAT_KEY, b"")
            found = int(number) if number.isdigit() else FORMAT + 1
            types = {field.name: _type(field) for field in file.schema_arrow}
            wanted = {name: kind for name, kind in COLUMNS.items() if _SINCE.get(name, 1) <= found}
            rows = _read(path, file) if found <= FORMAT and types == wanted else None
    except (pyarrow.ArrowException, LookupError, OSError, ValueError, MemoryError) as error:
        raise InputError(f"{path} is not a readable Parquet file ({error}).") from error
    if rows is None:
        said = number.decode("ascii", "replace") or "none"
        raise InputError(
            f"{path} is not a manifest that this version reads (format {said}, columns {', '.join(types)})."
        )
    return [_nested(row) for row in rows]


def _type(field: Any) -> str:
    """Return arrow's name of the type; text is text whether it is read as a dictionary or not."""
    return str(getattr(field.type, "value_type", field.type))


def _read(path: Path, file: Any) -> list[dict[str, Any]]:
    """Return all rows. Equal columns take next to no room in a file: rows and text are counted before they
    are made.

    Raises InputError for more of them than a file of that size holds.
    """
    from pyarrow import compute

    size = path.stat().st_size
    # A row has an id of its own, and mostly digests.
    most_rows, left = _MOST_ROWS + size // _BYTES_PER_ROW, _GROWTH_BYTES + _GROWTH * size
    unpacked = sum(file.metadata.row_group(index).total_byte_size for index in range(file.num_row_groups))
    if file.metadata.num_rows > most_rows or unpacked > left:
        raise InputError(
            f"{path} has {counted(file.metadata.num_rows, 'row')} of {unpacked} bytes, more than {size} "
            "bytes can hold."
        )
    rows: list[dict[str, Any]] = []
    for batch in file.iter_batches(_ROWS):
        for column in batch.columns:
            if hasattr(column, "dictionary"):
                lengths = compute.binary_length(column.dictionary).take(column.indices)
                left -= compute.sum(lengths).as_py() or 0
        if left < 0 or len(rows) + len(batch) > most_rows:
            raise InputError(f"{path} unfolds to more text than its {size} bytes can hold.")
        rows += batch.to_pylist()
    return rows


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in row.items() if name not in _NESTED}
    for parent in _NESTED:
        flat |= {f"{parent}_{name}": value for name, value in (row.get(parent) or {}).items()}
    unknown = flat.keys() - COLUMNS.keys()
    assert not unknown, f"the table has no column for {unknown}"
    return flat


def _nested(row: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in row.items():
        if value is None:
            continue
        parent, _, field = name.partition("_")
        if parent in _NESTED:
            nested.setdefault(parent, {})[field] = value
        else:
            nested[name] = value
    return nested
