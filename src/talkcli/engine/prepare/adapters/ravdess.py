"""RAVDESS: acted emotional speech and song whose file names tell emotion, intensity, sentence and actor.

Motion is performed from the two known sentences, or measured in the films. Source: Livingstone & Russo
(2018), PLoS ONE 13(5): e0196391.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Literal

from talkcli.engine.data.manifest import Split
from talkcli.engine.prepare.adapters.filmed import AS_USUAL, HowToLook, at_rest
from talkcli.engine.prepare.adapters.spoken import SpokenFile
from talkcli.engine.prepare.labels import EMOTION_OF_RAVDESS, LEVEL_OF_RAVDESS
from talkcli.engine.prepare.names import Unusable, ranges, read_names
from talkcli.engine.prepare.ravdess_names import (
    CHANNEL_NAMES,
    LICENCE,
    SENTENCES,
    SONG,
    SPEECH,
    RavdessName,
    best_file,
    broken_source,
    parse_name,
    sex_of,
    source_of,
    tell_absent,
    tell_doubled,
)
from talkcli.engine.prepare.source import Recipe, Source
from talkcli.engine.types import Emotion, Reporter
from talkcli.engine.wording import counted

_CORPUS_NAME = re.compile(r"03-01-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d)\.(wav|flac)")
_SUFFIXES = (".wav", ".flac", ".mp4")
_SILENT = "A video without sound (modality 02); neither 01 nor 03 of this performance is there."
_NAME = "ravdess"


def ravdess_sources(root: Path, split_of_actor: dict[int, Split]) -> list[Source]:
    """Return the sound files of speech below `root` of the actors in `split_of_actor`, in order of their
    names; all else is passed over. This is the corpus's part.
    """
    sources = []
    for path in sorted(root.rglob("*"), key=lambda path: path.name):
        match = _CORPUS_NAME.fullmatch(path.name)
        if match is None or int(match[5]) not in split_of_actor:
            continue
        emotion, level, statement, _, actor, _ = match.groups()
        sources.append(
            Source(
                id=f"ravdess/{path.stem}",
                speaker=f"ravdess-{actor}",
                emotion=Emotion(label=EMOTION_OF_RAVDESS[emotion], level=LEVEL_OF_RAVDESS[level]),
                split=split_of_actor[int(actor)],
                licence=LICENCE,
                recipe=SpokenFile(path=path, text=SENTENCES[statement], eyes=False),
                sex=sex_of(int(actor)),
                text=SENTENCES[statement],
            )
        )
    return sources


def whole_ravdess_sources(
    root: Path,
    split_of_actor: dict[int, Split],
    channels: tuple[str, ...],
    reporter: Reporter,
    *,
    motion: Literal["performed", "video"] = "performed",
    how: HowToLook = AS_USUAL,
) -> list[Source]:
    """Return every performance below `root` in `channels` (speech, song), one source each however many files
    there are of it. What cannot be used becomes a source that says why.

    With `motion` performed, sound alone is read before picture with sound; with video, picture with sound
    before picture alone, which goes with the sound alone. Tells `reporter` what is expected, what was found
    and what is missing. Raises InputError when no file has a name of RAVDESS, and what `HowToLook.check`
    does.
    """
    how.check(root, used=motion == "video")
    named, broken = read_names(
        root,
        _SUFFIXES,
        parse_name,
        reporter,
        data_set="RAVDESS",
        hint="Expected: Actor_01/03-01-06-02-01-02-01.wav, or .mp4 of the same form, to Actor_24.",
    )
    found: dict[str, list[tuple[RavdessName, Path]]] = {}
    for name, path in named:
        found.setdefault(name.performance, []).append((name, path))
    _tell(found, split_of_actor, channels, reporter)
    if motion == "performed" and any(name.modality != "03" for name, _ in named):
        reporter.note("There are films: `motion=video` measures motion in them instead of performing it.")
    sources = [
        source_of(*(_filmed(files, how) if motion == "video" else _spoken(files)), split_of_actor, _NAME)
        for _, files in sorted(found.items(), key=lambda item: item[0])
        if CHANNEL_NAMES[files[0][0].channel] in channels and files[0][0].actor in split_of_actor
    ]
    return [*at_rest(sources), *(broken_source(path, reason, _NAME) for path, reason in broken.items())]


def _spoken(files: list[tuple[RavdessName, Path]]) -> tuple[RavdessName, Path, Recipe]:
    """Return the performance as sound: 03 before 01."""
    sound = best_file(files, "03", "01")
    if sound is None:
        return *files[0], Unusable(reason=_SILENT)
    name, path = sound
    return name, path, SpokenFile(path=path, text=SENTENCES[name.statement], words_needed=False)


def _filmed(files: list[tuple[RavdessName, Path]], how: HowToLook) -> tuple[RavdessName, Path, Recipe]:
    """Return the performance as film: 01, else 02 with the sound of 03."""
    film, sound = best_file(files, "01", "02"), best_file(files, "03", "01")
    if film is None:
        return *files[0], Unusable(reason="Only its sound (modality 03) is there, and no film to measure.")
    name, path = film
    if name.modality == "02" and sound is None:
        return name, path, Unusable(reason=_SILENT)
    beside = sound[1] if sound and name.modality == "02" else None
    return name, path, how.at(path, f"ravdess/{path.stem}", sound=beside)


def _tell(
    found: dict[str, list[tuple[RavdessName, Path]]],
    split_of_actor: dict[int, Split],
    channels: tuple[str, ...],
    reporter: Reporter,
) -> None:
    names = [files[0][0] for files in found.values()]
    actors = {name.actor for name in names}
    counts = Counter(name.channel for name in names)
    files = Counter(name.modality for several in found.values() for name, _ in several)
    female = sum(actor % 2 == 0 for actor in actors)
    reporter.note(
        f"RAVDESS has 24 actors, 1440 spoken and 1012 sung performances; found: actors {ranges(actors)} "
        f"({female} female, {len(actors) - female} male), {counts[SPEECH]} spoken, {counts[SONG]} sung, in "
        f"{counted(files['03'], 'file')} of sound, {files['01']} of picture with sound, {files['02']} of "
        "picture alone."
    )
    tell_doubled(reporter, found)
    unread = [channel for code, channel in CHANNEL_NAMES.items() if counts[code] and channel not in channels]
    if unread:
        reporter.note(f"Not asked for, and left out: {', '.join(unread)}.")
    tell_absent(reporter, found, names, split_of_actor, channels)
