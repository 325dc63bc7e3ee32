"""RAVDESS's file names, its actors and its splits, for every adapter of that set.

Source: Livingstone & Russo (2018), PLoS ONE 13(5): e0196391; names are
modality-channel-emotion-intensity-statement-repetition-actor.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from talkcli.engine.data.manifest import Sex, Split
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.labels import EMOTION_OF_RAVDESS, LEVEL_OF_RAVDESS
from talkcli.engine.prepare.names import Unusable, is_empty, ranges, tell_missing
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
SENTENCES = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
SPEECH, SONG = "01", "02"
CHANNEL_NAMES = {SPEECH: "speech", SONG: "song"}
_FORM = re.compile(r"\d\d(-\d\d){6}")
_FOLDER = re.compile(r"Actor_(\d+)", re.IGNORECASE)
_EMOTIONS_SUNG = ("01", "02", "03", "04", "05", "06")
# This actor did not sing.
_SILENT_SINGER = 18


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


def has_form(stem: str) -> bool:
    """Return whether `stem` has the form of the set's names, whatever its numbers are."""
    return _FORM.fullmatch(stem) is not None


def parse_name(stem: str) -> RavdessName | None:
    """Return None for a name of another form. Raises InputError for the right form with a number that is not
    in the set.
    """
    if not has_form(stem):
        return None
    modality, channel, emotion, intensity, statement, repetition, actor = stem.split("-")
    for what, value, known in (
        ("modality", modality, ("01", "02", "03")),
        ("channel", channel, tuple(CHANNEL_NAMES)),
        ("emotion", emotion, tuple(EMOTION_OF_RAVDESS) if channel == SPEECH else _EMOTIONS_SUNG),
        ("intensity", intensity, tuple(LEVEL_OF_RAVDESS) if emotion != "01" else ("01",)),
        ("statement", statement, tuple(SENTENCES)),
        ("repetition", repetition, ("01", "02")),
        ("actor", actor, tuple(f"{number:02d}" for number in ACTORS)),
    ):
        if value not in known:
            where = " in song" if what == "emotion" and channel == SONG else ""
            where = " for neutral" if what == "intensity" and emotion == "01" else where
            raise InputError(f"The name says {what} {value}{where}, the set has {known[0]} to {known[-1]}.")
    if channel == SONG and int(actor) == _SILENT_SINGER:
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
    if channel == SONG and actor == _SILENT_SINGER:
        return []
    emotions = EMOTION_OF_RAVDESS if channel == SPEECH else _EMOTIONS_SUNG
    return [
        f"{channel}-{emotion}-{intensity}-{statement}-{repetition}-{actor:02d}"
        for emotion, intensity, statement, repetition in product(
            emotions, LEVEL_OF_RAVDESS, SENTENCES, ("01", "02")
        )
        if emotion != "01" or intensity == "01"
    ]


def source_of(
    name: RavdessName, path: Path, recipe: Recipe, split_of_actor: Mapping[int, Split], data_set: str
) -> Source:
    """Return a performance as a clip of `data_set`; `path` is the file or folder that gives it its id.

    It cannot be used when that lies in another actor's folder.
    """
    folder = actor_of_folder(path)
    if folder not in (None, name.actor):
        recipe = Unusable(
            reason=f"The file lies in {path.parent.name}, its name says actor {name.actor:02d}."
        )
    return Source(
        id=f"{data_set}/{path.stem}",
        speaker=f"ravdess-{name.actor:02d}",
        emotion=Emotion(label=EMOTION_OF_RAVDESS[name.emotion], level=LEVEL_OF_RAVDESS[name.intensity]),
        split=split_of_actor[name.actor],
        licence=LICENCE,
        recipe=recipe,
        sex=name.sex,
        text=SENTENCES[name.statement],
    )


def broken_source(path: Path, reason: str, data_set: str) -> Source:
    """Return the clip of a file whose name says what the set does not have."""
    return Source(
        id=f"{data_set}/{path.stem}",
        speaker="unknown",
        emotion=Emotion(),
        split="train",
        licence=LICENCE,
        recipe=Unusable(reason=reason),
    )


def best_file(files: Sequence[tuple[RavdessName, Path]], *modalities: str) -> tuple[RavdessName, Path] | None:
    """Return, of the files of some modalities, the one to read: in its actor's folder, not empty, of the
    first modality; None when there is none.
    """

    def key(file: tuple[RavdessName, Path]) -> tuple[bool, bool, int, Path]:
        name, path = file
        misplaced = actor_of_folder(path) not in (None, name.actor)
        return misplaced, is_empty(path), modalities.index(name.modality), path

    return min((file for file in files if file[0].modality in modalities), key=key, default=None)


def actor_of_folder(path: Path) -> int | None:
    """Return the number of the actor in whose folder `path` lies; None for another folder."""
    match = _FOLDER.fullmatch(path.parent.name)
    return int(match[1]) if match else None


def tell_doubled(reporter: Reporter, found: Mapping[str, Sequence[tuple[RavdessName, Path]]]) -> None:
    """Warn of the performances in `found` of which one modality is there twice."""
    doubled = [key for key, files in found.items() if len({name.modality for name, _ in files}) < len(files)]
    if doubled:
        reporter.warn(
            f"{counted(len(doubled), 'performance is', 'performances are')} there twice in one modality, the "
            f"first path is read: {some(sorted(doubled))}."
        )


def tell_absent(
    reporter: Reporter,
    found: Mapping[str, object],
    names: Sequence[RavdessName],
    split_of_actor: Mapping[int, Split],
    channels: Sequence[str],
) -> None:
    """Report which actors are left out or missing, and which performances of those who are there.

    Args:
        reporter: Receiver of notes and warnings.
        found: What was found, by performance.
        names: Names of what was found.
        split_of_actor: Actors that are asked for.
        channels: Kinds of performance that are asked for.
    """
    actors = {name.actor for name in names}
    counts = Counter(name.channel for name in names)
    if beyond := actors - split_of_actor.keys():
        reporter.note(f"The split leaves out actors {ranges(beyond)}.")
    if absent := split_of_actor.keys() - actors:
        reporter.warn(f"Missing: all of actors {ranges(absent)}.")
    for code, channel in CHANNEL_NAMES.items():
        if channel not in channels or not counts[code]:
            continue
        lacking = [
            key
            for actor in sorted(actors & split_of_actor.keys())
            for key in expected_performances(code, actor)
            if key not in found
        ]
        tell_missing(reporter, f"performances of {channel}", lacking, one=f"performance of {channel}")
