"""The manifest: one JSON object a line, each naming a clip's files, who speaks, how, and under which licence.

Paths are relative to the manifest's folder, with `/` on every system.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator

from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.types import EMOTIONS, Config

Split = Literal["train", "val", "test"]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]

_HINT = "Manifests are written by talk preprocess; docs/formats.md lists the fields."


class Digests(Config):
    """SHA-256 of both files, in hex."""

    audio: Digest
    motion: Digest


class Entry(Config):
    """One clip."""

    id: Text
    """Unique within the manifest."""
    audio: Text
    """Sound file, relative to the manifest."""
    motion: Text
    """Motion file, relative to the manifest."""
    fps: Annotated[float, Field(gt=0, le=1000)]
    """Frame rate of the motion file."""
    speaker: Text
    emotion: str
    """A label of `EMOTIONS`."""
    intensity: Annotated[float, Field(ge=0, le=1)]
    """Level of the emotion."""
    split: Split
    sha256: Digests
    licence: Text
    """SPDX identifier or the licence's name; the stricter of sound and motion."""

    @field_validator("emotion")
    @classmethod
    def _known_emotion(cls, value: str) -> str:
        if value not in EMOTIONS:
            raise ValueError(f"{value!r} is not one of {', '.join(EMOTIONS)}")
        return value

    @field_validator("audio", "motion")
    @classmethod
    def _inside(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or "\\" in value or ":" in value:
            raise ValueError(f"{value!r} is not a plain path below the manifest's folder")
        return value


def read_manifest(path: Path) -> list[Entry]:
    """The clips in file order.

    Raises InputError, with the line, for bad JSON, unknown or missing fields, values out of range, and an id
    that occurs twice.
    """
    if path.is_dir():
        path = path / "manifest.jsonl"
    try:
        # Not splitlines: JSON may hold the other line breaks of Unicode as they are.
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError as error:
        raise InputError(f"There is no manifest {path}.", hint="Make one with talk preprocess.") from error
    except (UnicodeDecodeError, NotADirectoryError) as error:
        raise InputError(f"{path} is not a manifest ({error}).", hint=_HINT) from error
    entries: list[Entry] = []
    line_of_id: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            entry = Entry.model_validate_json(line, strict=True)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(str(part) for part in item['loc']) or 'line'}: {item['msg']}"
                for item in error.errors()
            )
            raise InputError(f"{where}: {problems}.", hint=_HINT) from error
        if entry.id in line_of_id:
            raise InputError(
                f"{where}: id {entry.id} stands on line {line_of_id[entry.id]} already.", hint=_HINT
            )
        line_of_id[entry.id] = number
        entries.append(entry)
    if not entries:
        raise InputError(f"{path} lists no clips.", hint=_HINT)
    return entries


def write_manifest(path: Path, entries: Iterable[Entry]) -> None:
    """Write `entries` in the order given; the file appears whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text("".join(entry.model_dump_json() + "\n" for entry in entries), encoding="utf-8")
