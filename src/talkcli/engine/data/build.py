"""From sources to a folder of clips: audio/, motion/, mesh/, manifest.jsonl and what went wrong.

A clip is done when the journal says so: one line a clip, added after its files, with the fingerprint of all
that went in. A second run keeps what still fits. The manifest lists what the journal does, in the order of
the sources.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Float

from talkcli.engine.data.cleanup import Cleanup, clean
from talkcli.engine.data.clips import fit_length
from talkcli.engine.data.journal import Journal, Record
from talkcli.engine.data.manifest import Digests, Entry, MeshFiles, write_manifest
from talkcli.engine.data.motion_report import Oddity, oddities, report
from talkcli.engine.data.source import Recording, Source
from talkcli.engine.data.workers import CRASHED, map_isolated
from talkcli.engine.errors import InputError
from talkcli.engine.face.mesh_motion import resample_mesh
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.files import atomic_path, sha256
from talkcli.engine.types import SPEECH_RATE_HZ, MeshMotion, Reporter, Speech

# Sound and motion of one clip may end this far apart; more means that they do not belong together.
MOST_MISMATCH_S = 0.25
_SHORTEST_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A clip that could not be made, and why."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How clips are made, whatever the data set."""

    num_workers: int = 2
    """Processes; 0 works in this one."""
    cleanup: Cleanup = field(default_factory=Cleanup)
    cluster: str | None = None
    """Address of a Dask scheduler whose workers make the clips instead."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a run left behind."""

    entries: tuple[Entry, ...]
    dropped: tuple[Dropped, ...]
    num_kept: int
    seconds: float
    oddities: tuple[Oddity, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    record: Record | None
    reason: str = ""
    kept: bool = False


def build(sources: Sequence[Source], out: Path, reporter: Reporter, plan: Plan) -> Built:
    """Make every clip of `sources` below `out`, and the manifest of those that could be made.

    A clip that fails goes to quarantine.jsonl with the reason and does not stop the run.
    Raises InputError when no clip at all could be made.
    """
    if not sources:
        raise InputError(
            "There is nothing to make clips of.", hint="Check ROOT; docs/datasets.md describes each set's."
        )
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file, a folder is needed.")
    outcomes: dict[str, _Outcome] = {}
    unique, doubled = _split_doubled(sources)
    with Journal.open(out / "journal.jsonl") as journal:
        jobs = [(source, journal.records.get(source.id)) for source in unique]
        for (source, _), result in map_isolated(partial(_make, out, plan.cleanup), jobs, plan.num_workers):
            outcome = result or _Outcome(record=None, reason=CRASHED)
            if outcome.record is not None and not outcome.kept:
                journal.add(outcome.record)
            outcomes[source.id] = outcome
            reporter.progress("making clips", len(outcomes), len(unique))
    made = [(source, outcomes[source.id]) for source in unique]
    records = [outcome.record for _, outcome in made if outcome.record is not None]
    dropped = [Dropped(id=source.id, reason=outcome.reason) for source, outcome in made if not outcome.record]
    dropped += [Dropped(id=source.id, reason="another clip has this id") for source in doubled]
    _write_lines(out / "quarantine.jsonl", ({"id": item.id, "reason": item.reason} for item in dropped))
    if not records:
        raise InputError(
            f"None of {len(sources)} clips could be made; the first: {dropped[0].id}: {dropped[0].reason}",
            hint=f"All reasons are in {out / 'quarantine.jsonl'}.",
        )
    entries = tuple(record.entry for record in records)
    _write_lines(
        out / "report.jsonl",
        ({"id": record.entry.id} | record.report for record in records if record.report),
    )
    for name in ("manifest.parquet", "manifest.jsonl"):
        write_manifest(out / name, entries)
    return Built(
        entries=entries,
        dropped=tuple(dropped),
        num_kept=sum(outcome.kept for _, outcome in made),
        seconds=sum(entry.duration_s or 0.0 for entry in entries),
        oddities=tuple(oddities((record.entry.id, record.report) for record in records)),
    )


def _make(out: Path, cleanup: Cleanup, job: tuple[Source, Record | None]) -> _Outcome:
    source, earlier = job
    try:
        fingerprint = _fingerprint(source, cleanup)
        if earlier is not None and earlier.fingerprint == fingerprint and _is_whole(out, earlier.entry):
            return _Outcome(record=earlier, kept=True)
        recording = source.recipe.make(source)
        if recording.motion is not None:
            # Pictures have no neighbours to be smoothed with, and no rate.
            wanted = Cleanup(keep_pose=cleanup.keep_pose) if source.still else cleanup
            recording = replace(recording, motion=clean(recording.motion, wanted))
        if not source.still:
            _check(recording)
        entry = _write(out, source, recording, cleanup)
    except InputError as error:
        return _Outcome(record=None, reason=error.problem)
    said = dict(recording.report or {}) | report(recording.speech, recording.motion, still=source.still)
    return _Outcome(record=Record(entry=entry, fingerprint=fingerprint, report=said))


def _write(out: Path, source: Source, recording: Recording, cleanup: Cleanup) -> Entry:
    """The clip's files, and the line of the manifest that names them."""
    speech, motion, mesh = recording.speech, recording.motion, recording.mesh
    moving = motion or mesh
    files: dict[str, Path] = {}
    if speech is not None:
        if moving is not None:
            samples = fit_length(speech.samples, round(moving.duration_s * SPEECH_RATE_HZ))
            speech = Speech(samples=samples)
        files["audio"] = out / "audio" / f"{source.id}.flac"
        _write_sound(files["audio"], speech)
    if mesh is not None:
        files["vertices"] = out / "mesh" / f"{source.id}.npy"
        files["neutral"] = out / "mesh" / "neutral" / f"{source.speaker}.npy"
        _write_array(files["vertices"], mesh.vertices)
        _write_array(files["neutral"], mesh.neutral)
    if motion is not None:
        files["motion"] = out / "motion" / f"{source.id}.npz"
        write_motion(files["motion"], motion, {"cleanup": cleanup.model_dump(exclude_defaults=True)})
    names = {kind: path.relative_to(out).as_posix() for kind, path in files.items()}
    return Entry(
        id=source.id,
        audio=names.get("audio"),
        motion=names.get("motion"),
        mesh=None if mesh is None else _mesh_files(names, mesh),
        fps=None if moving is None else moving.fps,
        num_frames=_num_frames(recording),
        duration_s=_duration_s(recording),
        speaker=source.speaker,
        sex=source.sex,
        text=source.text,
        emotion=source.emotion.label,
        intensity=source.emotion.level,
        split=source.split,
        still=source.still,
        sha256=Digests(**{kind: sha256(path) for kind, path in files.items()}),
        licence=source.licence,
    )


def _mesh_files(names: Mapping[str, str], mesh: MeshMotion) -> MeshFiles:
    return MeshFiles(vertices=names["vertices"], neutral=names["neutral"], topology=mesh.topology)


def _num_frames(recording: Recording) -> int | None:
    if recording.motion is not None:
        return len(recording.motion.coeffs)
    return None if recording.mesh is None else len(recording.mesh.vertices)


def _duration_s(recording: Recording) -> float:
    return next(
        part.duration_s for part in (recording.motion, recording.mesh, recording.speech) if part is not None
    )


def _is_whole(out: Path, entry: Entry) -> bool:
    """Whether every file an earlier run made is there as it was."""
    return all(
        (out / path).is_file() and sha256(out / path) == digest for path, digest in entry.files.values()
    )


def _fingerprint(source: Source, cleanup: Cleanup) -> str:
    missing = [path for path in source.recipe.inputs if not path.is_file()]
    if missing:
        raise InputError(f"{missing[0]} is missing.")
    try:
        hashes = [_digest_of(path) for path in source.recipe.inputs]
    except PermissionError as error:
        raise InputError(f"{error.filename} may not be read.") from error
    parts = [repr(source), repr(cleanup), _code_digest(), *hashes]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _digest_of(path: Path) -> str:
    stat = path.stat()
    return _digest_once(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_once(path: Path, size: int, changed_ns: int) -> str:  # noqa: ARG001  what tells a file is new
    # Some sets keep all clips in one file.
    return sha256(path)


@cache
def _code_digest() -> str:
    """Changes with any line of what measures and performs motion, and of the adapters. Expressions, the head
    and the reading of sound are left out: their edits keep clips as they are until the output folder is
    removed.
    """
    folder = Path(__file__).parent
    places = (folder / "performer", folder / "adapters", folder.parent / "video")
    files = [
        *(path for place in places for path in sorted(place.glob("*.py"))),
        folder / "cleanup.py",
        folder / "layouts.py",
    ]
    return hashlib.sha256("".join(sha256(path) for path in files).encode()).hexdigest()


def _check(recording: Recording) -> None:
    seconds = [
        part.duration_s for part in (recording.speech, recording.motion or recording.mesh) if part is not None
    ]
    if min(seconds) < _SHORTEST_S:
        raise InputError(f"Only {min(seconds):.2f} s long.")
    if max(seconds) - min(seconds) > MOST_MISMATCH_S:
        raise InputError(f"Sound has {seconds[0]:.2f} s, motion {seconds[1]:.2f} s.")


def _write_sound(path: Path, speech: Speech) -> None:
    with atomic_path(path) as temporary:
        soundfile.write(temporary, speech.samples, speech.rate_hz, format="FLAC", subtype="PCM_16")


def _write_array(path: Path, values: Float[np.ndarray, "..."]) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, values.astype(np.float32, copy=False), allow_pickle=False)


def _split_doubled(sources: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    unique: dict[str, Source] = {}
    doubled = []
    for source in sources:
        if source.id in unique:
            doubled.append(source)
        unique.setdefault(source.id, source)
    return list(unique.values()), doubled


def _write_lines(path: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
