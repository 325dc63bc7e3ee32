"""RAVDESS: acted emotional speech and song whose file names tell emotion, intensity, sentence and actor.

Motion is performed from the two known sentences, or measured in the films. Source: Livingstone & Russo
(2018), PLoS ONE 13(5): e0196391; names are
modality-channel-emotion-intensity-statement-repetition-actor.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from talkcli.engine.data.manifest import Sex, Split
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.filmed import AS_USUAL, HowToLook, at_rest
from talkcli.engine.prepare.adapters.spoken import SpokenFile
from talkcli.engine.prepare.labels import EMOTION_OF_RAVDESS, LEVEL_OF_RAVDESS
from talkcli.engine.prepare.names import Unusable, is_empty, ranges, read_names, tell_missing
from talkcli.engine.prepare.source import Recipe, Source
from talkcli.engine.types import Emotion, Reporter
from talkcli.engine.wording import counted, some

LICENCE = "CC-BY-NC-SA-4.0"
ACTORS = range(1, 25)
# EmoFace (arXiv 2408.11518) parts by subject.
EMOFACE_SPLIT: dict[int, Split] = {
    **dict.fromkeys(range(1, 21), "train"),
    **dict.fromkeys((21, 22), "val"),
    **dict.fromkeys((23, 24), "test"),
}
# The corpus of the embedded model: actor 12 is for reporting only, 13 to 24 are never seen.
RAVDESS_SPLITS: dict[int, Split] = {**dict.fromkeys(range(1, 11), "train"), 11: "val"}
# By the values of `split` and `channel`.
SPLITS = {"emoface": EMOFACE_SPLIT, "corpus": RAVDESS_SPLITS}
CHANNELS = {"all": ("speech", "song"), "speech": ("speech",), "song": ("song",)}
_CORPUS_NAME = re.compile(r"03-01-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d)\.(wav|flac)")
_SENTENCES = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
_SUFFIXES = (".wav", ".flac", ".mp4")
_FORM = re.compile(r"\d\d(-\d\d){6}")
_FOLDER = re.compile(r"Actor_(\d+)", re.IGNORECASE)
_SPEECH, _SONG = "01", "02"
_CHANNELS = {_SPEECH: "speech", _SONG: "song"}
_EMOTIONS_SUNG = ("01", "02", "03", "04", "05", "06")
# This actor did not sing.
_SILENT_SINGER = 18
_SILENT = "A video without sound (modality 02); neither 01 nor 03 of this performance is there."


@dataclass(frozen=True, kw_only=True)
class RavdessName:
    """What a file name says, in the set's own codes."""

    modality: str
    """01 picture and sound, 02 picture alone, 03 sound alone."""
    channel: str
    """01 speech, 02 song."""
    emotion: str
    intensity: str
    """01 normal, 02 strong."""
    statement: str
    """01 kids, 02 dogs."""
    repetition: str
    actor: int

    @property
    def sex(self) -> Sex:
        return sex_of(self.actor)

    @property
    def performance(self) -> str:
        """The name without the modality: what several files may have recorded."""
        return (
            f"{self.channel}-{self.emotion}-{self.intensity}-{self.statement}-{self.repetition}"
            f"-{self.actor:02d}"
        )


def sex_of(actor: int) -> Sex:
    """Return the sex of an actor: odd numbers are male, even ones female."""
    return "male" if actor % 2 else "female"


def parse_name(stem: str) -> RavdessName | None:
    """Return None for a name of another form. Raises InputError for the right form with a number that is not
    in the set.
    """
    if not _FORM.fullmatch(stem):
        return None
    modality, channel, emotion, intensity, statement, repetition, actor = stem.split("-")
    for what, value, known in (
        ("modality", modality, ("01", "02", "03")),
        ("channel", channel, tuple(_CHANNELS)),
        ("emotion", emotion, tuple(EMOTION_OF_RAVDESS) if channel == _SPEECH else _EMOTIONS_SUNG),
        ("intensity", intensity, tuple(LEVEL_OF_RAVDESS) if emotion != "01" else ("01",)),
        ("statement", statement, tuple(_SENTENCES)),
        ("repetition", repetition, ("01", "02")),
        ("actor", actor, tuple(f"{number:02d}" for number in ACTORS)),
    ):
        if value not in known:
            where = " in song" if what == "emotion" and channel == _SONG else ""
            where = " for neutral" if what == "intensity" and emotion == "01" else where
            raise InputError(f"The name says {what} {value}{where}, the set has {known[0]} to {known[-1]}.")
    if channel == _SONG and int(actor) == _SILENT_SINGER:
        raise InputError(f"The name says song by actor {actor}, who did not sing.")
    return RavdessName(
        modality=modality,
        channel=channel,
        emotion=emotion,
        intensity=intensity,
        statement=statement,
        repetition=repetition,
        actor=int(actor),
    )


def expected_performances(channel: str, actor: int) -> list[str]:
    """Return all recordings of `actor`: 60 performances of speech (channel 01), 44 of song (02)."""
    if channel == _SONG and actor == _SILENT_SINGER:
        return []
    emotions = EMOTION_OF_RAVDESS if channel == _SPEECH else _EMOTIONS_SUNG
    return [
        f"{channel}-{emotion}-{intensity}-{statement}-{repetition}-{actor:02d}"
        for emotion, intensity, statement, repetition in product(
            emotions, LEVEL_OF_RAVDESS, _SENTENCES, ("01", "02")
        )
        if emotion != "01" or intensity == "01"
    ]


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
                recipe=SpokenFile(path=path, text=_SENTENCES[statement], eyes=False),
                sex=sex_of(int(actor)),
                text=_SENTENCES[statement],
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
        _source(*(_filmed(files, how) if motion == "video" else _spoken(files)), split_of_actor)
        for _, files in sorted(found.items(), key=lambda item: item[0])
        if _CHANNELS[files[0][0].channel] in channels and files[0][0].actor in split_of_actor
    ]
    return [*at_rest(sources), *(_broken(path, reason) for path, reason in broken.items())]


def _source(name: RavdessName, path: Path, recipe: Recipe, split_of_actor: dict[int, Split]) -> Source:
    """`path` is the file that gives the clip its id."""
    folder = _actor_of_folder(path)
    if folder not in (None, name.actor):
        recipe = Unusable(
            reason=f"The file lies in {path.parent.name}, its name says actor {name.actor:02d}."
        )
    return Source(
        id=f"ravdess/{path.stem}",
        speaker=f"ravdess-{name.actor:02d}",
        emotion=Emotion(label=EMOTION_OF_RAVDESS[name.emotion], level=LEVEL_OF_RAVDESS[name.intensity]),
        split=split_of_actor[name.actor],
        licence=LICENCE,
        recipe=recipe,
        sex=name.sex,
        text=_SENTENCES[name.statement],
    )


def _spoken(files: list[tuple[RavdessName, Path]]) -> tuple[RavdessName, Path, Recipe]:
    """Return the performance as sound: 03 before 01."""
    sound = _best(files, "03", "01")
    if sound is None:
        return *files[0], Unusable(reason=_SILENT)
    name, path = sound
    return name, path, SpokenFile(path=path, text=_SENTENCES[name.statement], words_needed=False)


def _filmed(files: list[tuple[RavdessName, Path]], how: HowToLook) -> tuple[RavdessName, Path, Recipe]:
    """Return the performance as film: 01, else 02 with the sound of 03."""
    film, sound = _best(files, "01", "02"), _best(files, "03", "01")
    if film is None:
        return *files[0], Unusable(reason="Only its sound (modality 03) is there, and no film to measure.")
    name, path = film
    if name.modality == "02" and sound is None:
        return name, path, Unusable(reason=_SILENT)
    beside = sound[1] if sound and name.modality == "02" else None
    return name, path, how.at(path, f"ravdess/{path.stem}", sound=beside)


def _best(files: list[tuple[RavdessName, Path]], *modalities: str) -> tuple[RavdessName, Path] | None:
    """Of the files of some modalities the one to read: in its actor's folder, not empty, of the first
    modality.
    """

    def key(file: tuple[RavdessName, Path]) -> tuple[bool, bool, int, Path]:
        name, path = file
        misplaced = _actor_of_folder(path) not in (None, name.actor)
        return misplaced, is_empty(path), modalities.index(name.modality), path

    return min((file for file in files if file[0].modality in modalities), key=key, default=None)


def _actor_of_folder(path: Path) -> int | None:
    match = _FOLDER.fullmatch(path.parent.name)
    return int(match[1]) if match else None


def _broken(path: Path, reason: str) -> Source:
    return Source(
        id=f"ravdess/{path.stem}",
        speaker="unknown",
        emotion=Emotion(),
        split="train",
        licence=LICENCE,
        recipe=Unusable(reason=reason),
    )


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
        f"({female} female, {len(actors) - female} male), {counts[_SPEECH]} spoken, {counts[_SONG]} sung, in "
        f"{counted(files['03'], 'file')} of sound, {files['01']} of picture with sound, {files['02']} of "
        "picture alone."
    )
    doubled = [key for key, several in found.items() if _has_doubles(several)]
    if doubled:
        reporter.warn(
            f"{counted(len(doubled), 'performance is', 'performances are')} there twice in one modality, the "
            f"first path is read: {some(sorted(doubled))}."
        )
    unread = [channel for code, channel in _CHANNELS.items() if counts[code] and channel not in channels]
    if unread:
        reporter.note(f"Not asked for, and left out: {', '.join(unread)}.")
    if beyond := actors - split_of_actor.keys():
        reporter.note(f"The split leaves out actors {ranges(beyond)}.")
    if absent := split_of_actor.keys() - actors:
        reporter.warn(f"Missing: all of actors {ranges(absent)}.")
    for code, channel in _CHANNELS.items():
        if channel not in channels or not counts[code]:
            continue
        lacking = [
            key
            for actor in sorted(actors & split_of_actor.keys())
            for key in expected_performances(code, actor)
            if key not in found
        ]
        tell_missing(reporter, f"performances of {channel}", lacking, one=f"performance of {channel}")


def _has_doubles(files: list[tuple[RavdessName, Path]]) -> bool:
    return len({name.modality for name, _ in files}) < len(files)
