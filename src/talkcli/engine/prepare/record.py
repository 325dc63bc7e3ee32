"""The record of a clip that is done, a line of the run's journal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from talkcli.engine.data.manifest import Entry


@dataclass(frozen=True, kw_only=True)
class Record:
    """A clip that is done: its manifest line, the fingerprint of its inputs, and its report."""

    entry: Entry
    fingerprint: str
    report: dict[str, Any]

    @property
    def id(self) -> str:
        """See `Line`."""
        return self.entry.id

    def document(self) -> dict[str, Any]:
        """See `Line`."""
        return {
            "fingerprint": self.fingerprint,
            "entry": self.entry.model_dump(mode="json", exclude_defaults=True),
            "report": self.report,
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> Record:
        """Return the record of a document; what pydantic raises for any other is a ValueError."""
        entry = Entry.model_validate_json(json.dumps(document["entry"]), strict=True)
        return cls(entry=entry, fingerprint=document["fingerprint"], report=document["report"])
