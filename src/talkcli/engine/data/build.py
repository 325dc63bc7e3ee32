"""From sources to a folder of clips: audio/, motion/, manifest.jsonl and quarantine.jsonl.

A clip is done when its motion file is there: it is written last, and its meta holds the fingerprint of all
that went in and the hash of the sound. A second run keeps what still fits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import soundfile

from talkcli.engine.data.clips import fit_length
from talkcli.engine.data.manifest import Digests, Entry, write_manifest
from talkcli.engine.data.source import Source
from talkcli.engine.data.workers import CRASHED, map_isolated
from talkcli.engine.errors import InputError
from talkcli.engine.face.motion_file import read_motion, write_motion
from talkcli.engine.files import atomic_path, sha256
from talkcli.engine.types import SPEECH_RATE_HZ, Motion, Reporter, Speech

# Sound and motion of one clip may end this far apart; more means that they do not belong together.
MOST_MISMATCH_S = 0.25
_SHORTEST_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A clip that could not be made, and why."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a run left behind."""

    entries: tuple[Entry, ...]
    dropped: tuple[Dropped, ...]
    num_kept: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    entry: Entry | None
    reason: str = ""
    kept: bool = False
    seconds: float = 0.0


def build(sources: Sequence[Source], out: Path, reporter: Reporter, *, num_workers: int = 2) -> Built:
    """Make every clip of `sources` below `out`, and the manifest of those that could be made.

    A clip that fails goes to quarantine.jsonl with the reason and does not stop the run.
    Raises InputError when no clip at all could be made.
    """
    if not sources:
        raise InputError(
            "There is nothing to make clips of.", hint="Check ROOT; docs/corpus.md describes it."
        )
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file, a folder is needed.")
    outcomes: dict[str, _Outcome] = {}
    unique, doubled = _split_doubled(sources)
    for source, result in map_isolated(partial(_make, out), unique, num_workers):
        outcomes[source.id] = result or _Outcome(entry=None, reason=CRASHED)
        reporter.progress("making clips", len(outcomes), len(unique))
    made = [(source, outcomes[source.id]) for source in unique]
    entries = tuple(outcome.entry for _, outcome in made if outcome.entry is not None)
    dropped = [Dropped(id=source.id, reason=outcome.reason) for source, outcome in made if not outcome.entry]
    dropped += [Dropped(id=source.id, reason="another clip has this id") for source in doubled]
    _write_quarantine(out / "quarantine.jsonl", dropped)
    if not entries:
        raise InputError(
            f"None of {len(sources)} clips could be made; the first: {dropped[0].id}: {dropped[0].reason}",
            hint=f"All reasons are in {out / 'quarantine.jsonl'}.",
        )
    write_manifest(out / "manifest.jsonl", entries)
    return Built(
        entries=entries,
        dropped=tuple(dropped),
        num_kept=sum(outcome.kept for _, outcome in made),
        seconds=sum(outcome.seconds for _, outcome in made),
    )


def _make(out: Path, source: Source) -> _Outcome:
    audio, motion_path = out / "audio" / f"{source.id}.flac", out / "motion" / f"{source.id}.npz"
    try:
        fingerprint = _fingerprint(source)
        motion = _kept(audio, motion_path, fingerprint)
        kept = motion is not None
        if motion is None:
            speech, motion = source.recipe.make(source)
            _check(speech, motion)
            samples = round(motion.duration_s * SPEECH_RATE_HZ)
            _write_sound(audio, Speech(samples=fit_length(speech.samples, samples)))
            write_motion(motion_path, motion, {"fingerprint": fingerprint, "audio_sha256": sha256(audio)})
    except InputError as error:
        return _Outcome(entry=None, reason=error.problem)
    entry = Entry(
        id=source.id,
        audio=audio.relative_to(out).as_posix(),
        motion=motion_path.relative_to(out).as_posix(),
        fps=motion.fps,
        speaker=source.speaker,
        emotion=source.emotion.label,
        intensity=source.emotion.level,
        split=source.split,
        sha256=Digests(audio=sha256(audio), motion=sha256(motion_path)),
        licence=source.licence,
    )
    return _Outcome(entry=entry, kept=kept, seconds=motion.duration_s)


def _kept(audio: Path, motion_path: Path, fingerprint: str) -> Motion | None:
    """The motion an earlier run made of the same inputs, if both files are still whole."""
    if not motion_path.is_file() or not audio.is_file():
        return None
    try:
        motion, meta = read_motion(motion_path)
    except InputError:
        return None
    fits = meta.get("fingerprint") == fingerprint and meta.get("audio_sha256") == sha256(audio)
    return motion if fits else None


def _fingerprint(source: Source) -> str:
    missing = [path for path in source.recipe.inputs if not path.is_file()]
    if missing:
        raise InputError(f"{missing[0]} is missing.")
    try:
        hashes = [sha256(path) for path in source.recipe.inputs]
    except PermissionError as error:
        raise InputError(f"{error.filename} may not be read.") from error
    parts = [repr(source), _code_digest(), *hashes]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def _code_digest() -> str:
    """Changes with any line of the performer and the adapters. Expressions, the head and the reading of sound
    are left out: their edits keep clips as they are until the output folder is removed.
    """
    folder = Path(__file__).parent
    files = [*sorted(folder.glob("performer/*.py")), *sorted(folder.glob("adapters/*.py"))]
    return hashlib.sha256("".join(sha256(path) for path in files).encode()).hexdigest()


def _check(speech: Speech, motion: Motion) -> None:
    if min(speech.duration_s, motion.duration_s) < _SHORTEST_S:
        raise InputError(f"Only {min(speech.duration_s, motion.duration_s):.2f} s long.")
    if abs(speech.duration_s - motion.duration_s) > MOST_MISMATCH_S:
        raise InputError(f"Sound has {speech.duration_s:.2f} s, motion {motion.duration_s:.2f} s.")


def _write_sound(path: Path, speech: Speech) -> None:
    with atomic_path(path) as temporary:
        soundfile.write(temporary, speech.samples, speech.rate_hz, format="FLAC", subtype="PCM_16")


def _split_doubled(sources: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    unique: dict[str, Source] = {}
    doubled = []
    for source in sources:
        if source.id in unique:
            doubled.append(source)
        unique.setdefault(source.id, source)
    return list(unique.values()), doubled


def _write_quarantine(path: Path, dropped: Sequence[Dropped]) -> None:
    lines = [
        json.dumps({"id": item.id, "reason": item.reason}, ensure_ascii=False) + "\n" for item in dropped
    ]
    with atomic_path(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
