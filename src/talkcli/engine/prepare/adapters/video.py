"""Any videos of talking faces, as files or in folders, optionally with labels.csv in a folder.

A sound file of the same stem beside a video replaces the video's own sound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from talkcli.engine.data.label_file import Label, read_labels
from talkcli.engine.errors import InputError
from talkcli.engine.files import real_path
from talkcli.engine.prepare.adapters.filmed import AS_USUAL, FilmedFile, HowToLook, at_rest
from talkcli.engine.prepare.labels import UNLABELLED
from talkcli.engine.prepare.names import files_below, plain, tell_missing
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Emotion, Reporter
from talkcli.engine.wording import counted, some

FILMS = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts", ".flv", ".wmv", ".ogv",
    ".3gp",
)  # fmt: skip
_SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac")


def video_sources(
    root: Path | Sequence[Path], reporter: Reporter, *, how: HowToLook = AS_USUAL, licence: str = "unknown"
) -> list[Source]:
    """Return one source for every video of `root`: files of any name, and files below folders by suffix.

    An id is the path below its folder, or the name of a file, without suffix; files of the same name get the
    name of their folder before it. Videos without a row in the folder's labels.csv are neutral at level 0, of
    the speaker "unknown", for training. Raises InputError for a missing path, a folder without videos and a
    labels.csv that cannot be read, and all errors of `HowToLook.check`.
    """
    paths = [root] if isinstance(root, Path) else root
    how.check(*(path for path in paths if path.is_dir()))
    stems = Counter(path.stem for path in paths)
    sources: list[Source] = []
    for path in paths:
        if path.is_dir():
            sources += _below(path, how, licence, reporter)
        elif path.is_file():
            name = path.stem if stems[path.stem] == 1 else f"{real_path(path).parent.name}/{path.stem}"
            sources.append(_source(path, name, None, how, licence))
        else:
            raise InputError(f"{path} does not exist.", hint="Give video files, or folders of them.")
    beside = [source.id for source in sources if _has_sound_beside(source)]
    if beside:
        reporter.note(
            f"For {counted(len(beside), 'video')} the sound file beside it is read: {some(beside)}."
        )
    # Videos of the speaker "unknown" may show different people.
    return at_rest(sources, lambda source: source.id if source.speaker == "unknown" else source.speaker)


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
    lost = sorted(labels.keys() - {name for _, name in named})
    reporter.note(
        f"Found: {counted(len(films), 'video')} in {folder}, {len(labels) - len(lost)} of them in labels.csv."
    )
    tell_missing(reporter, "videos that labels.csv names", lost, one="video that labels.csv names")
    return sources


def _has_sound_beside(source: Source) -> bool:
    return isinstance(source.recipe, FilmedFile) and source.recipe.sound is not None


def _source(film: Path, name: str, label: Label | None, how: HowToLook, licence: str) -> Source:
    identifier = plain(name)
    sounds = [path for suffix in _SOUNDS if (path := film.with_suffix(suffix)).is_file() and path != film]
    return Source(
        id=identifier,
        speaker=label.speaker if label else "unknown",
        emotion=Emotion(label=label.emotion, level=label.intensity) if label else UNLABELLED,
        split=label.split if label else "train",
        licence=licence,
        recipe=how.at(film, identifier, sound=sounds[0] if sounds else None),
    )
