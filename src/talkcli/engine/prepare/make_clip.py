"""One clip, made from its recipe: its files, its manifest line and its report.

A fault of the clip becomes the reason in its `Outcome`. A fault of the machine, such as a full disk, raises
an error, because every later clip would meet it too.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Float

from talkcli.engine.audio.textgrid import write_alignment
from talkcli.engine.code_digest import code_digest
from talkcli.engine.data.clips import fit_length, mismatch
from talkcli.engine.data.manifest import Digests, Entry, MeshFiles
from talkcli.engine.data.motion_report import report
from talkcli.engine.errors import InputError, TalkError
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.vertex_motion import resample_vertices
from talkcli.engine.files import atomic_path, sha256
from talkcli.engine.prepare.cleanup import Cleanup, clean
from talkcli.engine.prepare.record import Record
from talkcli.engine.prepare.source import Previewed, Recording, Source
from talkcli.engine.types import SPEECH_RATE_HZ, Speech, VertexMotion

# Shortest clip that is made, in seconds.
_SHORTEST_S = 0.2

# Error numbers that blame the machine; every other error of reading blames the file.
_OF_THE_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
# Error numbers of writing that blame the clip's name; every other error of writing blames the disk.
_OF_THE_NAME = {
    errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EEXIST, errno.ENOTDIR, errno.EISDIR,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result for one clip: its record, or the reason why there is none."""

    record: Record | None
    reason: str = ""
    kept: bool = False
    """Whether the record is that of an earlier run, whose files still fit."""


def make_clip(out: Path, cleanup: Cleanup, job: tuple[Source, Record | None]) -> Outcome:
    """Make the clip of a source below `out`, or keep the files of its earlier `Record` if they still fit.

    Args:
        out: Folder of the data set.
        cleanup: What to do to the motion.
        job: The source, and the record that an earlier run left of it, if any.

    Raises:
        OSError: The machine is to blame and not the clip.
        TalkError: The same; an InputError is the clip's fault and becomes the outcome's reason.
    """
    source, earlier = job
    try:
        _check_names(source)
        with _reading():
            fingerprint = _fingerprint(source, cleanup)
        if (
            earlier is not None
            and earlier.fingerprint == fingerprint
            and _is_whole(out, earlier.entry)
            and _is_shown(source)
        ):
            return Outcome(record=earlier, kept=True)
        with _reading():
            recording = source.recipe.make(source)
        if recording.motion is not None:
            # Still pictures have no neighbouring frames to smooth with, and no frame rate.
            wanted = Cleanup(keep_pose=cleanup.keep_pose) if source.still else cleanup
            recording = replace(recording, motion=clean(recording.motion, wanted))
        if recording.mesh is not None and cleanup.fps is not None:
            mesh = resample_vertices(recording.mesh, cleanup.fps)
            # The mesh may have one frame more than the motion: every second of 33 frames is 17, half of 33
            # rounds to 16.
            most = None if recording.motion is None else len(recording.motion.coeffs)
            recording = replace(recording, mesh=replace(mesh, vertices=mesh.vertices[:most]))
        if not source.still:
            _check(recording)
        said = dict(recording.report or {}) | report(recording.speech, recording.motion, still=source.still)
        with _naming():
            entry = _write(out, source, recording, cleanup)
    except InputError as error:
        return Outcome(record=None, reason=error.problem)
    except MemoryError:
        return Outcome(record=None, reason="The clip takes more memory than the machine has.")
    except (OSError, TalkError):
        # A fault of the machine would hit every clip, so it ends the run.
        raise
    except Exception as error:  # noqa: BLE001  a bug that one file in a million meets must not end a run of days
        return Outcome(record=None, reason=f"a bug in talk: {type(error).__name__}: {error}")
    return Outcome(record=Record(entry=entry, fingerprint=fingerprint, report=said))


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _OF_THE_MACHINE:
            raise
        raise InputError(
            f"{error.filename or 'A file'} cannot be read ({error.strerror or error})."
        ) from error


@contextlib.contextmanager
def _naming() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_THE_NAME:
            raise
        raise InputError(f"Its id cannot name files here ({error.strerror}).") from error


def _check_names(source: Source) -> None:
    """Raise InputError unless id and speaker can name files on any system and all texts are Unicode."""
    for kind, value in (("id", source.id), ("speaker", source.speaker)):
        problem = _problem(value)
        if problem:
            raise InputError(f"Its {kind} {value!r} {problem}, so it cannot name files.")
    for text in (source.licence, source.text or ""):
        if not _is_unicode(text):
            raise InputError(f"{text!r:.80} is not Unicode.")


def _problem(name: str) -> str | None:
    if not _is_unicode(name):
        return "is not Unicode"
    if re.search(r"[\x00-\x1f\x7f\\:]", name):
        return "has a colon, a backslash or a control character"
    if name != name.strip() or name != PurePosixPath(name).as_posix() or name.startswith("/"):
        return "is empty or no plain path"
    # This excludes `..` and the names of files that are being written.
    return "has a part that begins with a dot" if any(part[0] == "." for part in name.split("/")) else None


def _is_unicode(text: str) -> bool:
    """Return whether UTF-8 can hold `text`; Python keeps other bytes of file names as lone surrogates."""
    return not re.search(r"[\ud800-\udfff]", text)


def _write(out: Path, source: Source, recording: Recording, cleanup: Cleanup) -> Entry:
    """Write the clip's files and return the manifest line that names them."""
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
        write_motion(files["motion"], motion, _meta(recording, cleanup))
    if recording.alignment is not None and recording.alignment.method != "energy":
        files["phones"] = out / "phones" / f"{source.id}.TextGrid"
        write_alignment(files["phones"], recording.alignment)
    names = {kind: path.relative_to(out).as_posix() for kind, path in files.items()}
    return Entry(
        id=source.id,
        audio=names.get("audio"),
        motion=names.get("motion"),
        mesh=None if mesh is None else _mesh_files(names, mesh),
        origin=None if moving is None else recording.origin,
        fps=None if moving is None else moving.fps,
        num_frames=_num_frames(recording),
        duration_s=_duration_s(recording),
        speaker=source.speaker,
        sex=source.sex,
        text=source.text,
        phones=names.get("phones"),
        emotion=source.emotion.label,
        intensity=source.emotion.level,
        split=source.split,
        still=source.still,
        sha256=Digests(**{kind: sha256(path) for kind, path in files.items()}),
        licence=source.licence,
    )


def _meta(recording: Recording, cleanup: Cleanup) -> dict[str, Any]:
    """Return what the motion file states besides the motion."""
    origin = recording.origin
    said = {} if origin is None else {"origin": origin.model_dump(exclude_none=True)}
    return said | {"cleanup": cleanup.model_dump(exclude_defaults=True)}


def _mesh_files(names: Mapping[str, str], mesh: VertexMotion) -> MeshFiles:
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
    """Return whether every file that an earlier run made is there and unchanged."""
    return all(
        (out / path).is_file() and sha256(out / path) == digest for path, digest in entry.files.values()
    )


def _is_shown(source: Source) -> bool:
    """Return whether the requested preview video is there; True where none is requested."""
    preview = source.recipe.preview if isinstance(source.recipe, Previewed) else None
    return preview is None or preview.is_file()


def _fingerprint(source: Source, cleanup: Cleanup) -> str:
    """Return a hash of all that the clip's files depend on; the folders of the inputs do not count."""
    missing = [path for path in source.recipe.inputs if not path.is_file()]
    if missing:
        raise InputError(f"{missing[0]} is missing.")
    hashes = [_digest_of(path) for path in source.recipe.inputs]
    described = repr(source)
    for path in source.recipe.inputs:
        described = described.replace(str(path), path.name).replace(str(path.parent), "")
    code = code_digest(__name__, type(source.recipe).__module__)
    parts = [described, repr(cleanup), code, *hashes]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _digest_of(path: Path) -> str:
    stat = path.stat()
    return _digest_once(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_once(path: Path, size: int, changed_ns: int) -> str:  # noqa: ARG001  these two reveal a change
    # Some data sets keep all clips in one file, whose digest this cache saves.
    return sha256(path)


def _check(recording: Recording) -> None:
    moving = recording.motion or recording.mesh
    shortest_s = min(part.duration_s for part in (recording.speech, moving) if part is not None)
    if shortest_s < _SHORTEST_S:
        raise InputError(f"The clip is only {shortest_s:.2f} s long.")
    problem = mismatch(recording.speech, moving)
    if problem is not None:
        raise InputError(problem)


def _write_sound(path: Path, speech: Speech) -> None:
    # Encode in memory, because libsndfile does not report a full disk and waits for the disk at every file.
    encoded = io.BytesIO()
    soundfile.write(encoded, speech.samples, speech.rate_hz, format="FLAC", subtype="PCM_16")
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.getvalue())


def _write_array(path: Path, values: Float[np.ndarray, "..."]) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, values.astype(np.float32, copy=False), allow_pickle=False)
