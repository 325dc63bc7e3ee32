"""Checks of a clip: its files against its manifest, and whether its motion is plausible."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.textgrid import read_alignment
from talkcli.engine.data.clips import file_problem, mismatch, read_vertex_clip
from talkcli.engine.data.lag import Lag, lag
from talkcli.engine.data.manifest import Entry
from talkcli.engine.data.motion_report import jumps, out_of_range
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import CHANNELS, learned
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.types import Motion, Silent, Speech, VertexMotion
from talkcli.engine.wording import counted

Kind = Literal[
    "missing", "changed", "unreadable", "duration", "fps", "frames", "channels", "range", "jump", "lag",
    "split", "head",
]  # fmt: skip
# Clips with the first are refused by training; the others are warnings.
BROKEN: tuple[Kind, ...] = ("missing", "changed", "unreadable", "duration", "fps", "frames", "channels")
# Height of a face or head of FLAME's vertices, which are in metres; BIWI's are in no unit.
_LOWEST_HEAD_M, _HIGHEST_HEAD_M = 0.05, 1.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing wrong, or doubtful, with one clip; with the whole set when `clip` is None."""

    clip: str | None
    kind: Kind
    text: str

    @property
    def broken(self) -> bool:
        return self.kind in BROKEN


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The findings, the head whose motion it is, and the lag of the mouth where it can be measured."""

    findings: tuple[Finding, ...]
    head: str | None = None
    lag: Lag | None = None


def verify(folder: Path, entry: Entry) -> Verified:
    """Look at all files of `entry`, which lie below `folder`."""
    for name, digest in entry.files.values():
        problem = file_problem(folder, name, digest)
        if problem is not None:
            return Verified(findings=(Finding(clip=entry.id, kind=problem[0], text=problem[1]),))
    try:
        speech, motion, mesh = read_files(folder, entry)
    except InputError as error:
        return Verified(findings=(Finding(clip=entry.id, kind="unreadable", text=error.problem),))
    found: list[tuple[Kind, str | None]] = [("duration", mismatch(speech, motion or mesh))]
    late = None
    if mesh is not None:
        found += [("fps", _rate(entry, mesh.fps)), ("frames", _frames(entry, len(mesh.vertices)))]
        found.append(("range", _height(mesh)))
    if motion is not None:
        late = None if speech is None or entry.still else lag(speech, motion)
        found += [
            ("fps", _rate(entry, motion.fps)),
            ("frames", _frames(entry, len(motion.coeffs))),
            ("channels", _names(motion)),
            ("range", out_of_range(motion)),
            ("jump", None if entry.still else jumps(motion)),
            ("lag", str(late) if late is not None and late.is_wrong else None),
        ]
    findings = tuple(Finding(clip=entry.id, kind=kind, text=text) for kind, text in found if text)
    return Verified(findings=findings, head=None if motion is None else motion.head, lag=late)


def read_files(folder: Path, entry: Entry) -> tuple[Speech | None, Motion | None, VertexMotion | None]:
    """Return what `entry` has of sound, motion and vertices. Raises InputError for what cannot be read."""
    if entry.phones is not None:
        read_alignment(folder / entry.phones)
    speech = None if entry.audio is None else read_speech(folder / entry.audio, Silent())
    motion = None if entry.motion is None else read_motion(folder / entry.motion)[0]
    return speech, motion, None if entry.mesh is None else read_vertex_clip(folder, entry)


def _rate(entry: Entry, fps: float) -> str | None:
    if entry.fps is not None and np.isclose(entry.fps, fps):
        return None
    return f"The manifest says {entry.fps:g} fps, the file has {fps:g}."


def _frames(entry: Entry, frames: int) -> str | None:
    if entry.num_frames in (None, frames):
        return None
    return f"The manifest says {counted(entry.num_frames, 'frame')}, the file has {frames}."


def _names(motion: Motion) -> str | None:
    channels = learned(motion.channels)
    if CHANNELS.get(motion.head, channels) == channels:
        return None
    return f"The channels are not those of the head {motion.head}."


def _height(mesh: VertexMotion) -> str | None:
    height = float(np.ptp(mesh.neutral[:, 1]))
    if mesh.topology != "flame" or _LOWEST_HEAD_M <= height <= _HIGHEST_HEAD_M:
        return None
    return f"The head is {height:.3g} m tall; is it in metres?"
