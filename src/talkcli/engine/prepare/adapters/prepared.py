"""Clips of a manifest as sources again, to select among them or to compare others with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.clips import checked_file
from talkcli.engine.data.manifest import Entry
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import only_learned
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.origin import Origin, origin_of
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import Emotion, Silent


@dataclass(frozen=True, kw_only=True)
class PreparedClip:
    """Files of a clip below `folder`, each as path and SHA-256; None for files that are not needed."""

    folder: Path
    audio: tuple[str, str] | None
    motion: tuple[str, str] | None
    origin: Origin | None = None

    @property
    def inputs(self) -> tuple[Path, ...]:
        return tuple(self.folder / file[0] for file in (self.audio, self.motion) if file is not None)

    def make(self, source: Source) -> Recording:
        """Read the files. Raise InputError for files that differ from those of the manifest."""
        if not self.inputs:
            raise InputError("The clip has none of the files that are needed.")
        speech = motion = None
        origin = self.origin
        if self.audio is not None:
            speech = read_speech(checked_file(self.folder, *self.audio, source.id), Silent())
        if self.motion is not None:
            motion, meta = read_motion(checked_file(self.folder, *self.motion, source.id))
            motion = only_learned(motion)
            origin = origin or origin_of(meta)
        return Recording(speech=speech, motion=motion, origin=origin)


def prepared_sources(
    folder: Path, entries: Iterable[Entry], *, audio: bool = True, motion: bool = True
) -> list[Source]:
    """Return sources of the `entries` of a manifest in `folder`, with their labels.

    `audio` and `motion` choose the files that the sources read.
    """
    return [
        Source(
            id=entry.id,
            speaker=entry.speaker,
            emotion=Emotion(label=entry.emotion, level=entry.intensity),
            split=entry.split,
            licence=entry.licence,
            recipe=PreparedClip(
                folder=folder,
                audio=entry.files.get("audio") if audio else None,
                motion=entry.files.get("motion") if motion else None,
                origin=entry.origin if motion else None,
            ),
            sex=entry.sex,
            text=entry.text,
            still=entry.still,
        )
        for entry in entries
    ]
