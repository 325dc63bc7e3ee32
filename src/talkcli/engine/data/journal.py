"""The journal of a run: one JSON line for each thing that is done, so that a killed run loses none of them.

The run adds a line after it has written the files that the line is about. Of two lines of one thing the later
one counts; a last line that was cut off does not count.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Generic, Protocol, TypeVar, runtime_checkable

from talkcli.engine.files import atomic_path
from talkcli.engine.readers.json_text import parse_json

# Most bytes of a line that are read at once; a longer line is damaged.
_LONGEST_LINE = 1 << 20


@runtime_checkable
class Line(Protocol):
    """What a line records."""

    @property
    def id(self) -> str:
        """Name of the thing that is done."""

    def document(self) -> dict[str, Any]:
        """Return the record in values that JSON can hold."""


Record = TypeVar("Record", bound=Line)


class Journal(Generic[Record]):
    """The list of finished things: the records of earlier runs, to which this run adds its own."""

    def __init__(self, file: IO[str], records: dict[str, Record]) -> None:
        self._file = file
        self.records = records

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, read: Callable[[dict[str, Any]], Record]) -> Iterator[Journal[Record]]:
        """Open the journal at `path`, made if missing, and rewrite it without lines that no longer count.

        `read` returns the record of a document, and raises ValueError, KeyError, TypeError or AttributeError
        for any other.
        """
        records = _read(path, read)
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.writelines(_line(record) for record in records.values())
        with path.open("a", encoding="utf-8") as file:
            yield cls(file, records)

    def add(self, record: Record) -> None:
        """Record that a thing is done."""
        self._file.write(_line(record))
        self._file.flush()


def _line(record: Line) -> str:
    document = record.document()
    return json.dumps({**document, "crc": _checksum(document)}) + "\n"


def _checksum(document: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(document).encode())


def _read(path: Path, read: Callable[[dict[str, Any]], Record]) -> dict[str, Record]:
    if not path.is_file():
        return {}
    records = {}
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            try:
                document = parse_json(line.decode("utf-8", "replace"))
                if document.pop("crc") != _checksum(document):
                    continue
                record = read(document)
            except (AttributeError, ValueError, KeyError, TypeError):
                # The line is cut off or damaged, so the thing is made again.
                continue
            records[record.id] = record
    return records
