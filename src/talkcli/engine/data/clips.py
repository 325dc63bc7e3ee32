"""From a manifest to clips in memory: 16 kHz speech and motion at the model's rate, of equal length.

Axis names: `frames` at 25 fps, `samples` = frames * 640.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.textgrid import read_alignment
from talkcli.engine.data.manifest import Entry, folder_of, read_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import only_learned
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.face.vertex_motion import check_vertices, read_vertices
from talkcli.engine.files import real_path, sha256
from talkcli.engine.origin import origin_of
from talkcli.engine.readers.npy import read_floats
from talkcli.engine.types import (
    MODEL_FPS,
    SAMPLES_PER_FRAME,
    AnyMotion,
    Clip,
    Emotion,
    Motion,
    Reporter,
    Speech,
    VertexMotion,
)

# Sound and motion of one clip may end this far apart; more means that they do not belong together.
MOST_MISMATCH_S = 0.25
# The longest clip of vertices that is read, in frames: half an hour at 60 fps.
_MOST_VERTEX_FRAMES = 108_000


def load_clips(
    manifest: Path,
    split: str | None,
    reporter: Reporter,
    *,
    sound: bool = True,
    vertices: bool = False,
) -> list[Clip]:
    """Read the clips of `split` (all when None), in the manifest's order.

    Without `sound` this function reads none, and clips need not have any. With `vertices` it reads the clips'
    vertices, else their coefficients.

    Raises InputError naming the clip when a file is missing, has changed since the manifest was written, lies
    outside the manifest's folder or cannot be read, and when the split is empty.
    """
    entries = read_manifest(manifest, reporter)
    chosen = [entry for entry in entries if split is None or entry.split == split]
    if not chosen:
        found = ", ".join(sorted({entry.split for entry in entries}))
        raise InputError(f"{manifest} has no clips in the split {split}; it has {found}.")
    folder = folder_of(manifest)
    clips = []
    for index, entry in enumerate(chosen):
        clips.append(_load(folder, entry, reporter, sound=sound, vertices=vertices))
        reporter.progress("loading clips", index + 1, len(chosen))
    return clips


def _load(folder: Path, entry: Entry, reporter: Reporter, *, sound: bool, vertices: bool) -> Clip:
    moving = ("vertices", "neutral") if vertices else ("motion",)
    needed = (*(("audio",) if sound else ()), *moving)
    for kind in needed:
        if kind not in entry.files:
            has = " and ".join(name for name in entry.files if name not in ("neutral", "phones"))
            wanted = " and ".join(name for name in needed if name != "neutral")
            hint = f"Choose a manifest of clips with {wanted}."
            if entry.mesh is not None:
                hint += " To vertices of FLAME, talk preprocess vocaset --coefficients fits motion."
            raise InputError(f"Clip {entry.id} has no {kind}, only {has}.", hint=hint)
    read = (*needed, "phones") if "phones" in entry.files else needed
    paths = {kind: checked_file(folder, *entry.files[kind], entry.id) for kind in read}
    motion: AnyMotion
    meta: dict[str, Any] = {}
    try:
        speech = read_speech(paths["audio"], reporter) if sound else None
        if vertices:
            motion = read_vertex_clip(folder, entry)
        else:
            motion, meta = read_motion(paths["motion"])
            motion = only_learned(motion)
        alignment = read_alignment(paths["phones"]) if "phones" in paths else None
    except InputError as error:
        raise InputError(f"Clip {entry.id}: {error.problem}", hint=error.hint) from error
    if entry.fps is None or not np.isclose(motion.fps, entry.fps):
        raise InputError(
            f"Clip {entry.id}: the manifest says {entry.fps} fps, {entry.motion} has {motion.fps}."
        )
    if not entry.still:
        motion = resample(motion, float(MODEL_FPS))
    if speech is not None:
        speech = Speech(samples=fit_length(speech.samples, motion.num_frames * SAMPLES_PER_FRAME))
    cleanup = meta.get("cleanup") if isinstance(meta, dict) else None
    return Clip(
        id=entry.id,
        speech=speech,
        motion=motion,
        emotion=Emotion(label=entry.emotion, level=entry.intensity),
        speaker=entry.speaker,
        still=entry.still,
        origin=entry.origin or origin_of(meta),
        smoothed=isinstance(cleanup, dict) and cleanup.get("smooth") is True,
        alignment=alignment,
        text=entry.text,
    )


def read_vertex_clip(folder: Path, entry: Entry) -> VertexMotion:
    """Read the vertices of an `entry` that has some, whose files lie below `folder`. Raises InputError for
    files that cannot be read or do not fit.
    """
    assert entry.mesh is not None
    assert entry.fps is not None
    neutral = np.array(read_floats(folder / entry.mesh.neutral))
    if neutral.ndim != 2 or neutral.shape[1] != 3 or len(neutral) == 0:
        raise InputError(f"{entry.mesh.neutral} holds {neutral.shape}, (verts, 3) is needed.")
    vertices = read_vertices(folder / entry.mesh.vertices, len(neutral), _MOST_VERTEX_FRAMES)
    mesh = VertexMotion(vertices=vertices, neutral=neutral, fps=entry.fps, topology=entry.mesh.topology)
    check_vertices(mesh)
    return mesh


def checked_file(folder: Path, name: str, digest: str, clip_id: str) -> Path:
    """Return the file `name` of a manifest in `folder`. Raises InputError, naming the clip, when it leads
    out of the folder, is missing, cannot be read or has another digest.
    """
    problem = file_problem(folder, name, digest)
    if problem is not None:
        raise InputError(f"Clip {clip_id}: {problem[1]}", hint="Run talk preprocess again.")
    return folder / name


def file_problem(
    folder: Path, name: str, digest: str
) -> tuple[Literal["missing", "changed", "unreadable"], str] | None:
    """Return what is wrong with the file `name` of a manifest in `folder`, as a kind and in words; None when
    it is there, inside of the folder, with that digest.
    """
    path = folder / name
    if not real_path(path).is_relative_to(real_path(folder)):
        return "missing", f"{name} leads out of {folder}."
    if not path.is_file():
        return "missing", f"{path} is missing."
    try:
        same = sha256(path) == digest
    except OSError as error:
        return "unreadable", f"{path} cannot be read ({error.strerror})."
    if same:
        return None
    return "changed", f"{path} is not the file the manifest was written for (its hash differs)."


def mismatch(speech: Speech | None, moving: Motion | VertexMotion | None) -> str | None:
    """Why sound and motion do not belong together, in words; None when they last about as long."""
    if speech is None or moving is None or abs(speech.duration_s - moving.duration_s) <= MOST_MISMATCH_S:
        return None
    return f"Sound has {speech.duration_s:.2f} s, motion {moving.duration_s:.2f} s."


def fit_length(samples: Float[np.ndarray, "samples"], length: int) -> Float[np.ndarray, "length"]:
    """`samples` cut at the end, or continued with silence, to `length`."""
    fitted = samples[:length]
    return np.pad(fitted, (0, length - len(fitted)))
