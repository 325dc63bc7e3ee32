"""Any videos of talking faces, by themselves or in folders, and optionally labels.csv in a folder.

A sound file of the same stem beside a video is read instead of the video's own sound.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.data.adapters.filmed import FilmedFile
from talkcli.engine.data.label_file import Label, read_labels
from talkcli.engine.data.labels import UNLABELLED
from talkcli.engine.data.names import files_below, some
from talkcli.engine.data.source import Source
from talkcli.engine.errors import InputError
from talkcli.engine.face.heads import load_head
from talkcli.engine.types import Emotion, Reporter
from talkcli.engine.video.stretch import Stretch
from talkcli.engine.video.tracker import FaceChoice

FILMS = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts", ".flv", ".wmv", ".ogv",
    ".3gp",
)  # fmt: skip
_SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac")


@dataclass(frozen=True, kw_only=True)
class HowToLook:
    """What `FilmedFile` is told of every video; `preview` is the folder of the videos that show it."""

    head: str = "ada"
    face: FaceChoice = "only"
    stretch: Stretch = "whole"
    preview: Path | None = None


def video_sources(
    root: Path | Sequence[Path], reporter: Reporter, *, how: HowToLook | None = None, licence: str = "unknown"
) -> list[Source]:
    """One source for every video of `root`: files of any name, and below folders those of a video's suffix.

    An id is the path below its folder, or the name of a file, without suffix. Videos without a row in the
    folder's labels.csv are neutral at level 0, of the speaker "unknown", for training. Raises InputError for
    a path that is not there, a folder without videos and a labels.csv that does not read; UsageError and
    AssetError for a head that is not there.
    """
    how = how or HowToLook()
    load_head(how.head)
    sources: list[Source] = []
    for path in [root] if isinstance(root, Path) else root:
        if path.is_dir():
            sources += _below(path, how, licence, reporter)
        elif path.is_file():
            sources.append(_source(path, path.stem, None, how, licence))
        else:
            raise InputError(f"{path} does not exist.", hint="Give video files, or folders of them.")
    beside = [source.id for source in sources if source.recipe.inputs[1:]]
    if beside:
        reporter.note(f"The sound beside {len(beside)} videos is read, not their own: {some(beside)}.")
    return sources


def _below(folder: Path, how: HowToLook, licence: str, reporter: Reporter) -> list[Source]:
    films = [
        film
        for film in files_below(folder, FILMS)
        if not any(part.startswith(".") for part in film.relative_to(folder).parts)
    ]
    if not films:
        raise InputError(f"{folder} holds no videos.", hint=f"Looked for: {', '.join(FILMS)}.")
    labels = read_labels(folder / "labels.csv")
    named = [(film, film.relative_to(folder).with_suffix("").as_posix()) for film in films]
    sources = [_source(film, name, labels.get(name), how, licence) for film, name in named]
    if lost := sorted(labels.keys() - {name for _, name in named}):
        reporter.warn(f"labels.csv names {len(lost)} videos that are not there: {some(lost)}.")
    return sources


def _source(film: Path, name: str, label: Label | None, how: HowToLook, licence: str) -> Source:
    identifier = re.sub(r"[^\w./-]", "_", name)
    sounds = [path for suffix in _SOUNDS if (path := film.with_suffix(suffix)).is_file() and path != film]
    recipe = FilmedFile(
        video=film,
        sound=sounds[0] if sounds else None,
        head=how.head,
        face=how.face,
        stretch=how.stretch,
        preview=how.preview / f"{identifier}.mp4" if how.preview else None,
    )
    return Source(
        id=identifier,
        speaker=label.speaker if label else "unknown",
        emotion=Emotion(label=label.emotion, level=label.intensity) if label else UNLABELLED,
        split=label.split if label else "train",
        licence=licence,
        recipe=recipe,
    )
