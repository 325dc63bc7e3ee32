"""MEAD's actors, labels and licence, which hold for every form in which the data set circulates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from talkcli.engine.data.manifest import Sex, Split
from talkcli.engine.prepare.labels import EMOTION_OF_MEAD, LEVEL_OF_MEAD
from talkcli.engine.prepare.names import tell_left_out
from talkcli.engine.types import Emotion, Reporter
from talkcli.engine.wording import counted

LICENCE = "MEAD's own terms, research only"
# Split of MEAD's 47 public actors; the list is DEEPTalk's, which took it from EMOTE.
_ACTORS: dict[Split, str] = {
    "train": "M003 M005 M007 M009 M011 M012 M013 M019 M022 M023 M024 M025 M026 M027 M028 M029 M030 M031"
    " W009 W011 W014 W015 W016 W018 W019 W021 W023 W024 W025 W026 W028 W029",
    "val": "M032 M033 M034 M035 W033 W035 W036",
    "test": "M037 M039 M040 M041 M042 W037 W038 W040",
}
SPLIT_OF_ACTOR: dict[str, Split] = {
    actor: split for split, actors in _ACTORS.items() for actor in actors.split()
}
EXPECTED = (
    f"MEAD has {len(SPLIT_OF_ACTOR)} actors in DEEPTalk's split, 8 emotions of 3 levels (neutral has one)"
)


def mead_emotion(label: str, intensity: int) -> Emotion | None:
    """Return the emotion of one of our labels at one of MEAD's intensities. Return None for what the data set
    does not have: calm, a fourth intensity, neutral at any intensity but the first.
    """
    if label not in EMOTION_OF_MEAD.values() or intensity not in LEVEL_OF_MEAD:
        return None
    if label == "neutral" and intensity != 1:
        return None
    return Emotion(label=label, level=LEVEL_OF_MEAD[intensity])


def sex_of(actor: str) -> Sex:
    """Return the sex of an actor, whose name is M or W and a number."""
    return "male" if actor.startswith("M") else "female"


def warn_of_actors(actors: Sequence[str], reporter: Reporter) -> None:
    """Warn of actors who are in no split, whose clips are left out, and of missing actors; `actors` holds the
    actor of every clip.
    """
    strangers = Counter(actor for actor in actors if actor not in SPLIT_OF_ACTOR)
    told = [f"{actor} ({counted(count, 'clip')})" for actor, count in sorted(strangers.items())]
    tell_left_out(reporter, "actors who are in no split", told, one="actor who is in no split")
    absent = [actor for actor in SPLIT_OF_ACTOR if actor not in set(actors)]
    if absent:
        reporter.warn(f"Missing: {len(absent)} of {len(SPLIT_OF_ACTOR)} actors: {', '.join(absent)}.")
