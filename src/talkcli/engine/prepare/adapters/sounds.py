"""Sound files of a folder, without motion and without labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.audio.io import read_speech
from talkcli.engine.prepare.labels import UNLABELLED
from talkcli.engine.prepare.names import files_below, plain
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import Silent

# Suffixes of files that have sound, as far as talk reads them.
SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".mp4", ".webm")
UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class SoundFile:
    """The recipe of a clip that has only the sound of a file."""

    path: Path

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.path,)

    def make(self, source: Source) -> Recording:  # noqa: ARG002  the sound is what it is
        return Recording(speech=read_speech(self.path, Silent()))


def sound_sources(root: Path, licence: str = UNKNOWN) -> list[Source]:
    """Return one source for every sound file below `root`, in order of paths.

    The first folder below `root` names the speaker. Raises InputError when `root` is no folder.
    """
    sources = []
    for path in files_below(root, SOUNDS):
        stem = path.relative_to(root).with_suffix("")
        sources.append(
            Source(
                id=plain(stem.as_posix()),
                speaker=stem.parts[0] if len(stem.parts) > 1 else UNKNOWN,
                emotion=UNLABELLED,
                split="test",
                licence=licence,
                recipe=SoundFile(path=path),
            )
        )
    return sources
