"""CREMA-D: acted emotional speech of 91 actors; file names tell actor, sentence, emotion and level.

Motion is performed from the twelve known sentences, or measured in the films. Source: Cao et al. (2014), IEEE
Transactions on Affective Computing 5(4), doi:10.1109/TAFFC.2014.2336244. Folders are AudioWAV, AudioMP3 and
VideoFlash.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from talkcli.engine.data.manifest import Sex, Split
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.filmed import AS_USUAL, HowToLook, at_rest
from talkcli.engine.prepare.adapters.spoken import SpokenFile
from talkcli.engine.prepare.labels import EMOTION_OF_CREMA_D, LEVEL_OF_CREMA_D
from talkcli.engine.prepare.names import Unusable, is_empty, ranges, read_names, tell_missing
from talkcli.engine.prepare.source import Recipe, Source
from talkcli.engine.readers.text import csv_rows
from talkcli.engine.types import Emotion, Reporter
from talkcli.engine.wording import counted, some

LICENCE = "ODbL-1.0"
ACTORS = range(1001, 1092)
NUM_CLIPS = 7442
SENTENCES = {
    "DFA": "Don't forget a jacket.",
    "IEO": "It's eleven o'clock.",
    "IOM": "I'm on my way to the meeting.",
    "ITH": "I think I have a doctor's appointment.",
    "ITS": "I think I've seen this before.",
    "IWL": "I would like a new alarm clock.",
    "IWW": "I wonder what this is about.",
    "MTI": "Maybe tomorrow it will be cold.",
    "TAI": "The airplane is almost full.",
    "TIE": "That is exactly what happened.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
# Said by users of the set, not by its authors.
KNOWN_BAD = {
    "1007_ITH_NEU_XX": "On the list of known bad clips: others who used the set removed it.",
    "1064_IEO_DIS_MD": "On the list of known bad clips: a minute of the sentence in every emotion.",
    "1076_MTI_SAD_XX": "On the list of known bad clips: its sound is silence.",
}
_FILM = ".flv"
# Best first: the wav was made from the original video, mp3 and flv are what the raters heard and saw.
_SUFFIXES = (".wav", ".mp3", _FILM)
# One published name has a single X.
_FORM = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})")
_DEMOGRAPHICS = "VideoDemographics.csv"
_SEXES: dict[str, Sex] = {"Female": "female", "Male": "male"}


@dataclass(frozen=True, kw_only=True)
class CremaName:
    """What a file name says, in the set's own codes."""

    actor: int
    sentence: str
    emotion: str
    level: str
    """LO, MD, HI, or XX where no level was asked for."""


def parse_name(stem: str) -> CremaName | None:
    """Return None for a name of another form. Raises InputError for the right form with a code that is not
    in the set.
    """
    match = _FORM.fullmatch(stem)
    if match is None:
        return None
    actor, sentence, emotion, level = match.groups()
    level = "XX" if level == "X" else level
    for what, value, known in (
        ("actor", actor, [str(number) for number in ACTORS]),
        ("sentence", sentence, list(SENTENCES)),
        ("emotion", emotion, list(EMOTION_OF_CREMA_D)),
        ("level", level, list(LEVEL_OF_CREMA_D)),
    ):
        if value not in known:
            those = f"{known[0]} to {known[-1]}" if what == "actor" else ", ".join(known)
            raise InputError(f"The name says {what} {value}, the set has {those}.")
    return CremaName(actor=int(actor), sentence=sentence, emotion=emotion, level=level)


def split_of_actor(actor: int) -> Split:
    """Return the split by our rule, since the set has no official one: numbers ending in 0 test, in 9
    validate. That is 73 actors to train, 9 to validate and 9 to test, whichever of them are there.
    """
    by_last_digit: dict[int, Split] = {0: "test", 9: "val"}
    return by_last_digit.get(actor % 10, "train")


def crema_d_sources(
    root: Path,
    reporter: Reporter,
    *,
    motion: Literal["performed", "video"] = "performed",
    how: HowToLook = AS_USUAL,
) -> list[Source]:
    """Return every clip below `root`, one source each however many files there are of it. What cannot be used
    becomes a source that says why.

    Sound is read from wav before mp3 before flv. With `motion` video, motion is measured in the flv. Tells
    `reporter` what is expected, what was found and what is missing. Raises InputError when no file has a name
    of CREMA-D, and what `HowToLook.check` does.
    """
    how.check(root, used=motion == "video")
    named, broken = read_names(
        root,
        _SUFFIXES,
        parse_name,
        reporter,
        data_set="CREMA-D",
        hint="Expected: AudioWAV/1001_DFA_ANG_XX.wav; AudioMP3/*.mp3 and VideoFlash/*.flv are read too.",
    )
    found: dict[CremaName, list[Path]] = {}
    for name, path in named:
        found.setdefault(name, []).append(path)
    sexes = read_sexes(root / _DEMOGRAPHICS)
    _tell(found, sexes, reporter)
    if motion == "performed" and any(path.suffix.lower() == _FILM for _, path in named):
        reporter.note("There are films: `motion=video` measures motion in them instead of performing it.")
    sources = []
    for name, paths in found.items():
        path, recipe = _filmed(paths, how) if motion == "video" else _spoken(name, paths)
        if reason := KNOWN_BAD.get(path.stem):
            recipe = Unusable(reason=reason)
        sources.append(_source(path.stem, name, recipe, sexes.get(name.actor)))
    sources += [_source(path.stem, None, Unusable(reason=reason), None) for path, reason in broken.items()]
    return at_rest(sorted(sources, key=lambda source: source.id))


def _spoken(name: CremaName, paths: list[Path]) -> tuple[Path, Recipe]:
    path = _best(paths)
    return path, SpokenFile(path=path, text=SENTENCES[name.sentence], words_needed=False)


def _filmed(paths: list[Path], how: HowToLook) -> tuple[Path, Recipe]:
    films = [path for path in paths if path.suffix.lower() == _FILM]
    if not films:
        return paths[0], Unusable(reason="Only its sound is there, and no film (flv) to measure.")
    film, sound = _best(films), _best(paths)
    return film, how.at(film, f"crema-d/{film.stem}", sound=None if sound == film else sound)


def _best(paths: list[Path]) -> Path:
    return min(paths, key=lambda path: (is_empty(path), _SUFFIXES.index(path.suffix.lower()), path))


def read_sexes(path: Path) -> dict[int, Sex]:
    """By actor, from the set's table of actors; empty when it is not there.

    Raises InputError when it is there and lacks the columns ActorID and Sex.
    """
    if not path.exists():
        return {}
    rows = csv_rows(path)
    try:
        _, header = next(rows)
        named = (dict(zip(header, cells, strict=False)) for _, cells in rows)
        return {int(row["ActorID"]): _SEXES[row["Sex"].strip()] for row in named}
    except (KeyError, ValueError, StopIteration) as error:
        raise InputError(f"{path} is not CREMA-D's table of actors: ActorID and Sex do not read.") from error


def _source(stem: str, name: CremaName | None, recipe: Recipe, sex: Sex | None) -> Source:
    return Source(
        id=f"crema-d/{stem}",
        speaker=f"crema-d-{name.actor}" if name else "unknown",
        emotion=Emotion(label=EMOTION_OF_CREMA_D[name.emotion], level=LEVEL_OF_CREMA_D[name.level])
        if name
        else Emotion(),
        split=split_of_actor(name.actor) if name else "train",
        licence=LICENCE,
        recipe=recipe,
        sex=sex,
        text=SENTENCES[name.sentence] if name else None,
    )


def _tell(found: dict[CremaName, list[Path]], sexes: dict[int, Sex], reporter: Reporter) -> None:
    actors = {name.actor for name in found}
    kinds = Counter(sexes[actor] for actor in actors if actor in sexes)
    known = f" ({', '.join(f'{count} {sex}' for sex, count in sorted(kinds.items()))})" if kinds else ""
    files = Counter(path.suffix.lower() for paths in found.values() for path in paths)
    reporter.note(
        f"CREMA-D has {len(ACTORS)} actors (43 female, 48 male) and {NUM_CLIPS} clips; found: "
        f"{counted(len(actors), 'actor')}{known}, {counted(len(found), 'clip')}, "
        f"in {files['.wav']} wav, {files['.mp3']} mp3 and "
        f"{files['.flv']} flv."
    )
    doubled = [paths[0].stem for paths in found.values() if len({path.suffix for path in paths}) < len(paths)]
    if doubled:
        reporter.warn(
            f"{counted(len(doubled), 'clip is', 'clips are')} there twice in one format, the first path is "
            f"read: {some(doubled)}."
        )
    if absent := set(ACTORS) - actors:
        reporter.warn(f"Missing: all of actors {ranges(absent)}.")
    combinations = {(name.actor, name.sentence, name.emotion) for name in found}
    lacking = [
        f"{actor}_{sentence}_{emotion}"
        for actor in sorted(actors)
        for sentence in SENTENCES
        for emotion in EMOTION_OF_CREMA_D
        if (actor, sentence, emotion) not in combinations
    ]
    tell_missing(
        reporter,
        "pairs of sentence and emotion (the set itself lacks some)",
        lacking,
        one="pair of sentence and emotion (the set itself lacks some)",
    )
