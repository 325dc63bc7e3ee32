"""labels.csv beside files of any kind: a header with `id` and any of speaker, emotion, intensity, split.

An id is the path below the folder, without suffix.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from talkcli.engine.data.manifest import Split
from talkcli.engine.errors import InputError
from talkcli.engine.readers.text import csv_rows
from talkcli.engine.types import EMOTIONS, Config
from talkcli.engine.wording import counted


class Label(Config):
    """One row of labels.csv; what is not given keeps these defaults."""

    id: str
    speaker: str = Field(default="unknown", min_length=1)
    emotion: str = "neutral"
    intensity: float = Field(default=1.0, ge=0, le=1)
    split: Split = "train"


def read_labels(path: Path) -> dict[str, Label]:
    """Return labels by id; empty when there is no such file. Raises InputError, with the line, for anything
    odd.
    """
    if not path.exists():
        return {}
    hint = f"The header names id and any of {', '.join(list(Label.model_fields)[1:])}."
    labels: dict[str, Label] = {}
    rows = csv_rows(path)
    _, header = next(rows, (1, []))
    if "id" not in header:
        raise InputError(f"{path}, line 1: there is no column id.", hint=hint)
    for line, cells in rows:
        where = f"{path}, line {line}"
        if len(cells) != len(header):
            raise InputError(
                f"{where}: the row does not have the header's {counted(len(header), 'column')}.", hint=hint
            )
        row = dict(zip(header, cells, strict=True))
        try:
            label = Label.model_validate({key: value.strip() for key, value in row.items() if value.strip()})
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(
                f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}.", hint=hint
            ) from error
        if label.emotion not in EMOTIONS:
            raise InputError(f"{where}: emotion {label.emotion!r} is not one of {', '.join(EMOTIONS)}.")
        if label.id in labels:
            raise InputError(f"{where}: id {label.id} occurs twice.", hint=hint)
        labels[label.id] = label
    return labels
