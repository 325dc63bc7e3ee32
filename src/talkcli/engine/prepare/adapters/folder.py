"""A folder of sound files with a motion file of the same stem beside each, and optionally labels.csv.

A motion file is talk's own (.npz), a bare array (.npy) of (frames, columns) whose rate and layout the caller
names, or the file of a FLAME tracker (.npz, .npy, .pkl). labels.csv has a header with `id` and any of
speaker, emotion, intensity, split; an id is the path below the folder without suffix.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.label_file import Label, read_labels
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import only_learned
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.origin import Kind, Origin, origin_of
from talkcli.engine.prepare.layouts import AUTO, check_name, layout_of
from talkcli.engine.prepare.names import files_below, plain, tell_left_out, tell_missing
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.prepare.tracker_files import is_tracker_file, read_tracker_motion
from talkcli.engine.readers.npy import read_floats
from talkcli.engine.types import Config, Emotion, Motion, Reporter, Silent
from talkcli.engine.wording import counted

_SOUND = {".wav", ".flac", ".ogg", ".mp3", ".m4a", ".mp4", ".webm", ".opus", ".aac"}
_MOTION = (".npz", ".npy", ".pkl", ".pickle")


class BareMotion(Config):
    """The properties that a .npy does not state."""

    fps: float = Field(gt=0, le=1000)
    """Rate of the motion in frames per second."""
    layout: str = AUTO
    """Meaning of the columns: a key of `LAYOUTS`, or auto: their number decides."""


@dataclass(frozen=True, kw_only=True)
class FolderPair:
    """A sound file and its motion file; `motion` is None if it is missing.

    `origin` is the origin of motion whose file does not state one.
    """

    sound: Path
    motion: Path | None
    bare: BareMotion | None
    origin: Kind | None = None

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.sound,) if self.motion is None else (self.sound, self.motion)

    def make(self, source: Source) -> Recording:  # noqa: ARG002  both files are there already
        if self.motion is None:
            raise InputError(f"There is no {self.sound.stem}.npz, .npy or .pkl beside {self.sound.name}.")
        stated = None if self.origin is None else Origin(kind=self.origin)
        if is_tracker_file(self.motion):
            motion = read_tracker_motion(self.motion, None if self.bare is None else self.bare.fps)
        elif self.motion.suffix == ".npz":
            motion, meta = read_motion(self.motion)
            motion = only_learned(motion)
            stated = origin_of(meta) or stated
        else:
            motion = self._bare_motion(self.motion)
        return Recording(speech=read_speech(self.sound, Silent()), motion=motion, origin=stated)

    def _bare_motion(self, path: Path) -> Motion:
        if self.bare is None:
            raise InputError(f"{path.name} states neither its rate nor its columns: give `source_fps`.")
        rows = read_floats(path)
        if rows.ndim != 2 or len(rows) == 0:
            raise InputError(f"{path.name} holds {rows.shape}, (frames, columns) is needed.")
        try:
            return layout_of(self.bare.layout, rows.shape[1]).motion(rows, self.bare.fps)
        except InputError as error:
            raise InputError(f"{path.name}: {error.problem}", hint=error.hint) from error


def folder_sources(
    root: Path, bare: BareMotion | None, licence: str, reporter: Reporter, *, origin: Kind | None = None
) -> list[Source]:
    """Return one source for every sound file below `root`, in order of ids.

    Raises UsageError for an unknown layout, InputError for a folder that is missing or holds no sound, and
    for a labels.csv that cannot be read.
    """
    if bare is not None:
        check_name(bare.layout)
    sounds, motions = files_below(root, _SOUND), files_below(root, _MOTION)
    labels = read_labels(root / "labels.csv")
    sources = []
    for sound in sounds:
        stem = sound.relative_to(root).with_suffix("")
        label = labels.pop(stem.as_posix(), None) or Label(id=stem.as_posix())
        candidates = [path for suffix in _MOTION if (path := sound.with_suffix(suffix)).is_file()]
        sources.append(
            Source(
                id=plain(stem.as_posix()),
                speaker=label.speaker,
                emotion=Emotion(label=label.emotion, level=label.intensity),
                split=label.split,
                licence=licence,
                recipe=FolderPair(
                    sound=sound, motion=candidates[0] if candidates else None, bare=bare, origin=origin
                ),
            )
        )
    if not sources:
        raise InputError(f"{root} holds no sound files.", hint=f"Looked for: {', '.join(sorted(_SOUND))}.")
    recipes = [source.recipe for source in sources]
    moving = sum(isinstance(recipe, FolderPair) and recipe.motion is not None for recipe in recipes)
    reporter.note(f"Found: {counted(len(sources), 'sound file')}, {moving} of them with motion.")
    heard = {sound.with_suffix("") for sound in sounds}
    silent = [path.relative_to(root).as_posix() for path in motions if path.with_suffix("") not in heard]
    tell_left_out(
        reporter,
        "motion files without sound beside them",
        silent,
        one="motion file without sound beside it",
    )
    tell_missing(reporter, "clips that labels.csv names", list(labels), one="clip that labels.csv names")
    return sources
