"""Clips with motion and sound in two files: their recipe, and the search for the sound of each motion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from talkcli.engine.audio.io import read_speech
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.names import files_below
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import Motion, Silent, Speech

# Suffixes of files with sound in order of preference: lossless formats first, films last.
SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".mp3", ".mp4", ".mov")


@dataclass(frozen=True, kw_only=True)
class PairedFiles(ABC):
    """The recipe of a clip with motion in one file and sound in another; subclasses read their files."""

    motion: Path
    sound: Path
    origin: ClassVar[Origin]
    """The origin of all motion of the data set."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.motion, self.sound)

    def make(self, source: Source) -> Recording:  # noqa: ARG002  both files are there already
        motion = self.read_motion(self.motion)
        return Recording(speech=self.read_sound(self.sound), motion=motion, origin=self.origin)

    @staticmethod
    @abstractmethod
    def read_motion(path: Path) -> Motion:
        """Read the data set's motion. Raises InputError for anything else."""

    @staticmethod
    def read_sound(path: Path) -> Speech:
        return read_speech(path, Silent())


def paired_sounds(
    root: Path, motions: Iterable[Path], kinds: Collection[str]
) -> list[tuple[str, Path, Path | None]]:
    """Return name, motion and sound of every file of `motions` below `root`, in order of names; the sound is
    None where it is missing. The name leaves out folders called as in `kinds`: with FLAME_coeffs and audio,
    the sound of FLAME_coeffs/anna/3.npz is audio/anna/3.flac, and both are named anna/3.
    """

    def name(path: Path) -> str:
        return "/".join(part for part in path.relative_to(root).with_suffix("").parts if part not in kinds)

    preferred = sorted(files_below(root, SOUNDS), key=lambda path: -SOUNDS.index(path.suffix.lower()))
    sounds = {name(path): path for path in preferred}
    return sorted((name(path), path, sounds.get(name(path))) for path in motions)
