"""A folder of sound files with a motion file of the same stem beside each, and optionally labels.csv.

A motion file is ours (.npz), or a bare array (.npy) of (frames, 53) numbers whose rate and head the caller
names. labels.csv has a header with `id` and any of speaker, emotion, intensity, split; an id is the path
below the folder without suffix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.label_file import Label, read_labels
from talkcli.engine.data.source import Recording, Source
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA, FLAME, NUM_COEFFS
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.types import Config, Emotion, Motion, Reporter, Silent

_SOUND = {".wav", ".flac", ".ogg", ".mp3", ".m4a", ".mp4", ".webm", ".opus", ".aac"}
_CHANNELS = {"ada": ADA, "flame": FLAME}


class BareMotion(Config):
    """What a .npy does not say."""

    fps: float = Field(gt=0, le=1000)
    """Frames a second."""
    head: str = "flame"
    """Whose 53 numbers they are: ada or flame."""


@dataclass(frozen=True, kw_only=True)
class FolderPair:
    """A sound file and its motion file; `motion` is None where there is none."""

    sound: Path
    motion: Path | None
    bare: BareMotion | None

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.sound,) if self.motion is None else (self.sound, self.motion)

    def make(self, source: Source) -> Recording:  # noqa: ARG002  both files are there already
        if self.motion is None:
            raise InputError(f"There is no {self.sound.stem}.npz or .npy beside {self.sound.name}.")
        motion = (
            read_motion(self.motion)[0] if self.motion.suffix == ".npz" else self._bare_motion(self.motion)
        )
        return Recording(speech=read_speech(self.sound, Silent()), motion=motion)

    def _bare_motion(self, path: Path) -> Motion:
        if self.bare is None:
            raise InputError(f"{path.name} says neither its rate nor its head: give --fps and --head.")
        try:
            coeffs = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path.name} is not a readable array ({error}).") from error
        if coeffs.ndim != 2 or coeffs.shape[1] != NUM_COEFFS or coeffs.dtype.kind not in "fiu":
            raise InputError(
                f"{path.name} holds {coeffs.dtype} {coeffs.shape}, (frames, {NUM_COEFFS}) is needed."
            )
        if not np.isfinite(coeffs).all():
            raise InputError(f"{path.name} holds values that are not numbers.")
        channels = _CHANNELS[self.bare.head]
        return Motion(
            coeffs=coeffs.astype(np.float32), fps=self.bare.fps, head=self.bare.head, channels=channels
        )


def folder_sources(root: Path, bare: BareMotion | None, licence: str, reporter: Reporter) -> list[Source]:
    """One source for every sound file below `root`, in order of ids.

    Raises UsageError for a head without 53 known channels, InputError for a folder that is not there and for
    labels.csv that does not read.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.")
    if bare is not None and bare.head not in _CHANNELS:
        raise UsageError(f"--head {bare.head} is not one of {', '.join(_CHANNELS)}.")
    labels = read_labels(root / "labels.csv")
    sources = []
    for sound in sorted(path for path in root.rglob("*") if path.suffix.lower() in _SOUND):
        stem = sound.relative_to(root).with_suffix("")
        label = labels.pop(stem.as_posix(), None) or Label(id=stem.as_posix())
        candidates = [path for suffix in (".npz", ".npy") if (path := sound.with_suffix(suffix)).is_file()]
        sources.append(
            Source(
                id=re.sub(r"[^\w./-]", "_", stem.as_posix()),
                speaker=label.speaker,
                emotion=Emotion(label=label.emotion, level=label.intensity),
                split=label.split,
                licence=licence,
                recipe=FolderPair(sound=sound, motion=candidates[0] if candidates else None, bare=bare),
            )
        )
    if not sources:
        raise InputError(f"{root} holds no sound files.", hint=f"Looked for: {', '.join(sorted(_SOUND))}.")
    if labels:
        reporter.warn(
            f"labels.csv names {len(labels)} clips that are not there, the first is {next(iter(labels))}."
        )
    return sources
