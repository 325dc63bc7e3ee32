"""The manifest: one JSON object a line, each naming a clip's files, who speaks, how, and under which licence.

Paths are relative to the manifest's folder, with `/` on every system. What a clip lacks is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from talkcli.engine.data.parquet import PARQUET, read_parquet, write_parquet
from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.origin import Origin
from talkcli.engine.readers.text import read_lines
from talkcli.engine.types import EMOTIONS, Config, Reporter, Silent

Split = Literal["train", "val", "test"]
Sex = Literal["female", "male"]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]

# Lies beside the manifest of a run that has not come to its end, or was not let.
UNFINISHED = "UNFINISHED.txt"

_SILENT = Silent()
_HINT = "Manifests are written by talk preprocess; docs/formats.md lists the fields."


class MeshFiles(Config):
    """A clip's vertices."""

    vertices: Text
    """Array of (frames, verts, 3), float32, .npy; metres, but BIWI's has a scale of its own."""
    neutral: Text
    """The subject at rest, (verts, 3); clips of a subject share it."""
    topology: Text
    """The name of the numbering of the vertices."""


class Digests(Config):
    """SHA-256 of the clip's files, in hex."""

    audio: Digest | None = None
    motion: Digest | None = None
    vertices: Digest | None = None
    neutral: Digest | None = None
    phones: Digest | None = None


class Entry(Config):
    """One clip: sound, motion, vertices, or several of them."""

    id: Text
    """Unique within the manifest."""
    audio: Text | None = None
    """Sound file, relative to the manifest."""
    motion: Text | None = None
    """Motion file, relative to the manifest."""
    mesh: MeshFiles | None = None
    origin: Origin | None = None
    """The origin of the motion, or of the vertices where there is no motion; None where nobody stated it."""
    fps: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Frame rate of the motion or of the vertices."""
    num_frames: Annotated[int, Field(gt=0)] | None = None
    duration_s: Annotated[float, Field(gt=0)] | None = None
    speaker: Text
    sex: Sex | None = None
    text: Text | None = None
    """The words of the clip."""
    phones: Text | None = None
    """TextGrid with a tier of phones, relative to the manifest; only where they were found in the sound."""
    emotion: str
    """A label of `EMOTIONS`."""
    intensity: Annotated[float, Field(ge=0, le=1)]
    """Level of the emotion."""
    split: Split
    still: bool = False
    """Whether the frames are pictures that have nothing to do with one another."""
    sha256: Digests
    licence: Text
    """SPDX identifier or the licence's name; the strictest of the files'."""

    @property
    def files(self) -> dict[str, tuple[str, str]]:
        """Path and digest of each file by what it is: audio, motion, vertices, neutral, phones."""
        paths = {"audio": self.audio, "motion": self.motion}
        if self.mesh is not None:
            paths |= {"vertices": self.mesh.vertices, "neutral": self.mesh.neutral}
        paths["phones"] = self.phones
        digests = self.sha256.model_dump()
        return {kind: (path, digests[kind]) for kind, path in paths.items() if path is not None}

    @field_validator("emotion")
    @classmethod
    def _known_emotion(cls, value: str) -> str:
        if value not in EMOTIONS:
            raise ValueError(f"{value!r} is not one of {', '.join(EMOTIONS)}")
        return value

    @model_validator(mode="after")
    def _files_fit(self) -> Entry:
        if not self.files.keys() - {"phones"}:
            raise ValueError("the clip has neither audio nor motion nor mesh")
        for kind, (value, digest) in self.files.items():
            path = PurePosixPath(value)
            if path.is_absolute() or ".." in path.parts or "\\" in value or ":" in value:
                raise ValueError(f"{value!r} is not a plain path below the manifest's folder")
            if digest is None:
                raise ValueError(f"sha256 lacks {kind}")
        if self.fps is None and (self.motion or self.mesh):
            raise ValueError("fps is missing")
        return self


def folder_of(manifest: Path) -> Path:
    """Return the folder below which the files of `manifest` (the file or its folder) lie."""
    return manifest if manifest.is_dir() else manifest.parent


def read_manifest(path: Path, reporter: Reporter = _SILENT) -> list[Entry]:
    """Return the clips in file order; `path` is a .jsonl, a .parquet, or the folder of a manifest.jsonl.

    Warns when the run that makes them is not finished. Raises InputError, with the line, for bad JSON,
    unknown or missing fields, values out of range, and an id that occurs twice.
    """
    if path.is_dir():
        path = path / "manifest.jsonl"
    entries: list[Entry] = []
    line_of_id: dict[str, str] = {}
    for line, content in _rows(path) if path.suffix == PARQUET else _lines(path):
        where = f"{path}, {line}"
        try:
            if isinstance(content, str):
                entry = Entry.model_validate_json(content, strict=True)
            else:
                entry = Entry.model_validate(content, strict=True)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(str(part) for part in item['loc']) or 'line'}: {item['msg']}"
                for item in error.errors()
            )
            raise InputError(f"{where}: {problems}.", hint=_HINT) from error
        if entry.id in line_of_id:
            raise InputError(f"{where}: id {entry.id} stands on {line_of_id[entry.id]} already.", hint=_HINT)
        line_of_id[entry.id] = line
        entries.append(entry)
    if not entries:
        raise InputError(f"{path} lists no clips.", hint=_HINT)
    if (path.parent / UNFINISHED).exists():
        reporter.warn(
            f"The run of talk preprocess that makes {path.parent} is not finished; see {UNFINISHED} there."
        )
    return entries


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    if not path.exists():
        raise InputError(f"There is no manifest {path}.", hint="Make one with talk preprocess.")
    try:
        for number, line in enumerate(read_lines(path), start=1):
            if line.strip():
                yield f"line {number}", line
    except InputError as error:
        raise InputError(error.problem, hint=error.hint or _HINT) from error


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, row in enumerate(read_parquet(path), start=1):
        yield f"row {number}", row


def write_manifest(path: Path, entries: Iterable[Entry]) -> None:
    """Write `entries` in the order given, as a table where `path` is a .parquet, else as lines of JSON; the
    file appears whole or not at all.
    """
    if path.suffix == PARQUET:
        write_parquet(path, (entry.model_dump(mode="json", exclude_none=True) for entry in entries))
        return
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(entry.model_dump_json(exclude_defaults=True) + "\n" for entry in entries)
