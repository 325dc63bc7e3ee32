"""The journal of a run: one JSON line for each clip that is done, so that a killed run loses none of them.

The run adds a line after it has written the clip's files. Of two lines of one clip the later one counts; a
last line that was cut off does not count.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from talkcli.engine.data.manifest import Entry
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.json_text import parse_json

# Most bytes of a line that are read at once; a longer line is damaged.
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Record:
    """A clip that is done: its manifest line, the fingerprint of its inputs, and its report."""

    entry: Entry
    fingerprint: str
    report: dict[str, Any]


class Journal:
    """The list of finished clips: the records of earlier runs, to which this run adds its own."""

    def __init__(self, file: IO[str], records: dict[str, Record]) -> None:
        self._file = file
        self.records = records

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator[Journal]:
        """Open the journal at `path`, made if missing, and rewrite it without lines that no longer count."""
        records = _read(path)
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.writelines(_line(record) for record in records.values())
        with path.open("a", encoding="utf-8") as file:
            yield cls(file, records)

    def add(self, record: Record) -> None:
        """Record that a clip is done."""
        self._file.write(_line(record))
        self._file.flush()


def _line(record: Record) -> str:
    document = {
        "fingerprint": record.fingerprint,
        "entry": record.entry.model_dump(mode="json", exclude_defaults=True),
        "report": record.report,
    }
    return json.dumps({**document, "crc": _checksum(document)}) + "\n"


def _checksum(document: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(document).encode())


def _read(path: Path) -> dict[str, Record]:
    if not path.is_file():
        return {}
    records = {}
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            try:
                document = parse_json(line.decode("utf-8", "replace"))
                if document.pop("crc") != _checksum(document):
                    continue
                entry = Entry.model_validate_json(json.dumps(document["entry"]), strict=True)
                record = Record(entry=entry, fingerprint=document["fingerprint"], report=document["report"])
            except (AttributeError, ValueError, KeyError, TypeError, ValidationError):
                # The line is cut off or damaged, so the clip is made again.
                continue
            records[entry.id] = record
    return records
