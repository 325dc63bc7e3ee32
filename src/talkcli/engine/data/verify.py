"""Whether the files of a clip are what its manifest says, and whether its motion can be true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.make_clip import MOST_MISMATCH_S
from talkcli.engine.data.manifest import Entry
from talkcli.engine.data.motion_report import jumps, out_of_range
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.files import sha256
from talkcli.engine.types import Motion, Silent, Speech

Kind = Literal[
    "missing", "changed", "unreadable", "duration", "fps", "channels", "range", "jump", "lag", "split", "head"
]
# Clips with the first are refused by training; the others are warnings.
BROKEN: tuple[Kind, ...] = ("missing", "changed", "unreadable", "duration", "fps", "channels")
_CHANNELS = {"ada": ADA, "flame": FLAME}


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
    """What was found, and what could be read: both None unless both files are whole."""

    findings: tuple[Finding, ...]
    speech: Speech | None = None
    motion: Motion | None = None


def verify(folder: Path, entry: Entry) -> Verified:
    """Look at both files of `entry`, which lie below `folder`."""
    for name, digest in entry.files.values():
        finding = _file(folder, name, digest, entry.id)
        if finding:
            return Verified(findings=(finding,))
    try:
        speech = read_speech(folder / entry.audio, Silent())
        motion, _ = read_motion(folder / entry.motion)
    except InputError as error:
        return Verified(findings=(Finding(clip=entry.id, kind="unreadable", text=error.problem),))
    found: list[tuple[Kind, str | None]] = [
        ("duration", _durations(speech, motion)),
        ("fps", _rates(entry, motion)),
        ("channels", _names(motion)),
        ("range", out_of_range(motion)),
        ("jump", jumps(motion)),
    ]
    findings = tuple(Finding(clip=entry.id, kind=kind, text=text) for kind, text in found if text)
    return Verified(findings=findings, speech=speech, motion=motion)


def _file(folder: Path, name: str, digest: str, clip: str) -> Finding | None:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        return Finding(clip=clip, kind="missing", text=f"{name} leads out of {folder}.")
    if not path.is_file():
        return Finding(clip=clip, kind="missing", text=f"{name} is not there.")
    try:
        same = sha256(path) == digest
    except OSError as error:
        return Finding(clip=clip, kind="unreadable", text=f"{name} cannot be read ({error.strerror}).")
    if same:
        return None
    return Finding(clip=clip, kind="changed", text=f"{name} is not the file the manifest was written for.")


def _durations(speech: Speech, motion: Motion) -> str | None:
    if abs(speech.duration_s - motion.duration_s) <= MOST_MISMATCH_S:
        return None
    return f"Sound has {speech.duration_s:.2f} s, motion {motion.duration_s:.2f} s."


def _rates(entry: Entry, motion: Motion) -> str | None:
    if np.isclose(entry.fps, motion.fps):
        return None
    return f"The manifest says {entry.fps:g} fps, {entry.motion} has {motion.fps:g}."


def _names(motion: Motion) -> str | None:
    if _CHANNELS.get(motion.head, motion.channels) == motion.channels:
        return None
    return f"The channels are not those of the head {motion.head}."
