"""MEAD as it is published: films of acted emotional speech from seven sides, sound beside them.

Below ROOT or ROOT/MEAD lie ACTOR/video/VIEW/EMOTION/level_N/NNN.mp4 and ACTOR/audio/EMOTION/level_N/NNN.m4a;
motion is measured in the films. Source: Wang et al. (2020), MEAD, ECCV; the split is DEEPTalk's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.prepare.adapters.filmed import AS_USUAL, HowToLook, at_rest
from talkcli.engine.prepare.labels import EMOTION_OF_MEAD
from talkcli.engine.prepare.mead_splits import (
    EXPECTED,
    LICENCE,
    SPLIT_OF_ACTOR,
    mead_emotion,
    sex_of,
    warn_of_actors,
)
from talkcli.engine.prepare.names import Unusable, files_below, is_empty, tell_left_out, tell_missing
from talkcli.engine.prepare.source import Recipe, Source
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted, some

VIEWS = ("front", "left_30", "left_60", "right_30", "right_60", "top", "down")
FRONT = "front"
_ACTOR = re.compile(r"[MW]\d{3}")
_LEVEL = re.compile(r"level_(\d)")
_NUMBER = re.compile(r"\d{3}")
_HINT = (
    "Expected below ROOT or ROOT/MEAD: M003/video/front/angry/level_3/001.mp4 and "
    "M003/audio/angry/level_3/001.m4a."
)


@dataclass(frozen=True, kw_only=True, order=True)
class MeadClip:
    """What all files of one clip have in common, from whatever side it was filmed."""

    actor: str
    folder: str
    """The emotion as MEAD writes it."""
    level: int
    number: str

    def __str__(self) -> str:
        return f"{self.actor}_{self.folder}_{self.level}_{self.number}"


def mead_raw_sources(
    root: Path, reporter: Reporter, *, how: HowToLook = AS_USUAL, views: Sequence[str] = (FRONT,)
) -> list[Source]:
    """Return every clip of the actors of the split lists in each of `views`, in order of ids; one of which
    only the sound is there becomes a source that says so. The m4a is read before the film's own sound.

    Tells `reporter` what was found, left out and missing. Raises UsageError for a view MEAD does not have,
    InputError when no file lies where MEAD's do, and what `HowToLook.check` does.
    """
    if unknown := [view for view in views if view not in VIEWS]:
        raise UsageError(f"There is no view {unknown[0]}.", hint=f"Views: {', '.join(VIEWS)}.")
    how.check(root)
    base = _base(root)
    films: dict[str, dict[MeadClip, Path]] = {view: {} for view in VIEWS}
    sounds: dict[MeadClip, Path] = {}
    misnamed: list[str] = []
    for actor in sorted(path for path in base.iterdir() if _ACTOR.fullmatch(path.name) and path.is_dir()):
        for path in files_below(actor, (".mp4", ".m4a")):
            place = path.relative_to(actor).parts
            clip = _clip(actor.name, place)
            if clip is None:
                misnamed.append(path.relative_to(base).as_posix())
            elif place[0] == "audio":
                sounds[clip] = path
            else:
                films[place[1]][clip] = path
    if not sounds and not any(films.values()):
        raise InputError(f"{root} holds no film or sound of MEAD.", hint=_HINT)
    tell_left_out(reporter, "files that MEAD does not have", misnamed, one="file that MEAD does not have")
    wanted = [view for view in VIEWS if view in views]
    _tell(films, sounds, wanted, reporter)
    sources: list[Source] = []
    for view in wanted:
        clips = films[view].keys() | (sounds.keys() if view == FRONT else set())
        # A neutral film from another side shows another shape.
        sources += at_rest(
            [
                _source(clip, view, films[view].get(clip), sounds.get(clip), how)
                for clip in sorted(clips, key=str)
                if clip.actor in SPLIT_OF_ACTOR
            ]
        )
    return sorted(sources, key=lambda source: source.id)


def _base(root: Path) -> Path:
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.", hint=_HINT)
    return root / "MEAD" if (root / "MEAD").is_dir() else root


def _clip(actor: str, place: Sequence[str]) -> MeadClip | None:
    """Return the clip of a file from its path below the actor's folder; None where MEAD has no such file."""
    kind, *rest = place
    if kind == "video" and rest and rest[0] in VIEWS:
        rest = rest[1:]
    elif kind != "audio":
        return None
    if len(rest) != 3:
        return None
    folder, level, name = rest
    match, stem = _LEVEL.fullmatch(level), Path(name).stem
    if match is None or not _NUMBER.fullmatch(stem) or folder not in EMOTION_OF_MEAD:
        return None
    if mead_emotion(EMOTION_OF_MEAD[folder], int(match[1])) is None:
        return None
    if Path(name).suffix.lower() != (".m4a" if kind == "audio" else ".mp4"):
        return None
    return MeadClip(actor=actor, folder=folder, level=int(match[1]), number=stem)


def _source(clip: MeadClip, view: str, film: Path | None, sound: Path | None, how: HowToLook) -> Source:
    emotion = mead_emotion(EMOTION_OF_MEAD[clip.folder], clip.level)
    assert emotion is not None
    clip_id = f"mead/{clip}" if view == FRONT else f"mead/{clip}_{view}"
    recipe: Recipe = Unusable(reason="There is sound of it and no film from the front.")
    if film is not None:
        # Where the sound was not copied whole, the film may still have its own.
        recipe = how.at(film, clip_id, sound=sound if sound and not is_empty(sound) else None)
    return Source(
        id=clip_id,
        speaker=f"mead-{clip.actor}",
        emotion=emotion,
        split=SPLIT_OF_ACTOR[clip.actor],
        licence=LICENCE,
        recipe=recipe,
        sex=sex_of(clip.actor),
    )


def _tell(
    films: dict[str, dict[MeadClip, Path]],
    sounds: dict[MeadClip, Path],
    wanted: Sequence[str],
    reporter: Reporter,
) -> None:
    clips = films[FRONT].keys() | sounds.keys()
    emotions = Counter(clip.folder for clip in clips)
    reporter.note(
        f"{EXPECTED}; found: {counted(len({clip.actor for clip in clips}), 'actor')}, "
        f"{counted(len(films[FRONT]), 'film')} from "
        f"the front, {counted(len(sounds), 'sound')} ("
        f"{', '.join(f'{name} {count}' for name, count in sorted(emotions.items()))})."
    )
    warn_of_actors([clip.actor for clip in clips], reporter)
    beside = {view: len(found) for view, found in films.items() if found and view not in wanted}
    if beside:
        counts = ", ".join(f"{view} {count}" for view, count in beside.items())
        reporter.note(f"Not asked for, and left out: {counts}.")
    filmed = {clip for view in wanted for clip in films[view]}
    if silent := sorted(str(clip) for clip in filmed - sounds.keys()):
        reporter.warn(f"No m4a: {counted(len(silent), 'film')}, whose own sound is read: {some(silent)}.")
    unseen = sorted(str(clip) for clip in sounds.keys() - films[FRONT].keys())
    if FRONT in wanted:
        tell_missing(
            reporter,
            "films from the front, of which there is sound",
            unseen,
            one="film from the front, of which there is sound",
        )
    tell_missing(
        reporter,
        "numbers below the highest of their folder",
        _gaps(clips),
        one="number below the highest of its folder",
    )


def _gaps(clips: set[MeadClip]) -> list[str]:
    """Return the numbers that are missing from folders whose numbering goes on beyond them."""
    numbers: defaultdict[tuple[str, str, int], set[int]] = defaultdict(set)
    for clip in clips:
        numbers[clip.actor, clip.folder, clip.level].add(int(clip.number))
    return [
        f"{actor}_{folder}_{level}_{number:03d}"
        for (actor, folder, level), there in sorted(numbers.items())
        for number in range(1, max(there))
        if number not in there
    ]
