"""Names of shapes, as programs write them, and what they mean.

A name is cut into words, of which one may be a side. So `eyeBlinkLeft`, `EyeBlink_L`,
`blendShape1.eyeBlink_L`, `left_eye_blink` and `EYEBLINKLEFT` mean the same. Sides are the subject's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from talkcli.engine.face.channels import ARKIT
from talkcli.engine.face.visemes import VISEME_SETS

LEFT, RIGHT, BOTH = "Left", "Right", ""
SIDES = (LEFT, RIGHT)
# A run of capitals is a word of its own, unless its last letter begins the next word.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Longer names are no names of shapes; nobody reads them.
LONGEST = 200
_SIDE_WORDS = {"left": LEFT, "l": LEFT, "right": RIGHT, "r": RIGHT}


class Meaning(NamedTuple):
    """What a shape does.

    `kind` is "arkit" for a shape of ARKit's, of one side or of what ARKit gives one shape only, "viseme" for
    one of Oculus's, "vowel" for one of VRM's five, "mood" for an expression of the whole face and "look" for
    both eyes to the side `stem`.
    """

    kind: str
    stem: str
    side: str = BOTH

    @property
    def name(self) -> str:
        """Name of the shape, ARKit's own where it has this one."""
        return f"{self.stem}{self.side}"


def _stem(name: str) -> tuple[str, str]:
    """Return an ARKit name without its side, and the side."""
    side = next((side for side in SIDES if name.endswith(side)), BOTH)
    return name.removesuffix(side) if side else name, side


# Stem -> the sides that ARKit has of it.
STEMS: dict[str, tuple[str, ...]] = {}
for _name in ARKIT:
    _found, _side = _stem(_name)
    STEMS[_found] = (*STEMS.get(_found, ()), _side)
# Words in lower case -> stem. What follows ARKit's own are names of other programs for nearly the same.
_ARKIT_WORDS = {stem.lower(): stem for stem in STEMS} | {
    "blink": "eyeBlink", "eyeclose": "eyeBlink", "eyeclosed": "eyeBlink", "eyesclose": "eyeBlink",
    "eyesclosed": "eyeBlink", "fcleyeclose": "eyeBlink", "mouthopen": "mouthOpen",
    "eyeslookup": "eyeLookUp", "eyeslookdown": "eyeLookDown", "eyeswide": "eyeWide",
    "eyessquint": "eyeSquint", "browsdown": "browDown", "browsinnerup": "browInnerUp",
    "browsouterup": "browOuterUp", "lookup": "eyeLookUp", "lookdown": "eyeLookDown",
    "browinnerup": "browInnerUp", "fcleyespread": "eyeWide", "smile": "mouthSmile",
}  # fmt: skip
# `mouthOpen` opens jaw and lips; ARKit has no such shape.
MOUTH_OPEN = "mouthOpen"
# Stems that are a way and not a side: `jawLeft` moves the whole jaw.
_WAYS = ("jaw", "mouth")
_VISEMES = {name.lower(): name for name in VISEME_SETS["oculus"].names} | {"i": "ih", "o": "oh", "u": "ou"}
_VISEME_STARTS = ("viseme", "vrcv", "vis")
# VRM 1, VRM 0 and VRoid.
_VOWELS = {"aa": "aa", "ih": "ih", "ou": "ou", "ee": "ee", "oh": "oh"}
_VOWELS_0 = {"a": "aa", "i": "ih", "u": "ou", "e": "ee", "o": "oh"}
_MOODS = {
    "happy": "happy", "joy": "happy", "angry": "angry", "sad": "sad", "sorrow": "sad", "relaxed": "relaxed",
    "fun": "relaxed", "surprised": "surprised",
}  # fmt: skip
# How the names of VRoid begin, whatever stands before them.
_VROID = "fcl"
# Presets of VRM 0 and 1 in lower case.
_PRESETS = {
    **{name: Meaning("vowel", vowel) for name, vowel in (_VOWELS | _VOWELS_0).items()},
    **{name: Meaning("mood", mood) for name, mood in _MOODS.items()},
    # Of both eyes, to the side of the wearer.
    **{f"look{side.lower()}": Meaning("look", side) for side in SIDES},
}


def meaning_of(name: str) -> Meaning | None:
    """Return what a shape called `name` does; None where nobody knows."""
    # A program that merges meshes writes that of a shape before its name: blendShape1.eyeBlink_L.
    whole = name[:LONGEST]
    last = re.split(r"[.:|/]", whole)[-1]
    for text in dict.fromkeys((last, whole)):
        for words, side in _cuts(text):
            meant = _plain(words, side)
            if meant is not None:
                return meant
    return None


def expression_meaning(name: str, *, preset: bool) -> Meaning | None:
    """Return what an expression of VRM does: a preset of VRM 0 or 1, or one that its author named."""
    words = name.lower()
    if preset and words in _PRESETS:
        return _PRESETS[words]
    return meaning_of(name)


def _cuts(name: str) -> Iterator[tuple[str, str]]:
    """Return the ways to cut `name` into words and a side; the last is for a name in one case."""
    words, side = _cut(name)
    yield (words[words.find(_VROID) :] if _VROID in words else words), side
    for found in SIDES:
        if not side and words.endswith(found.lower()):
            yield words.removesuffix(found.lower()), found


def _cut(name: str) -> tuple[str, str]:
    """Return the words of `name` in lower case as one, and the side that one of them names.

    Where several are sides, the last one is: the first of `left_mouthRight` belongs to a mesh.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    at = max((place for place, word in enumerate(words) if word in _SIDE_WORDS), default=-1)
    # A letter alone, as in viseme_R, is a name.
    if at < 0 or len(words) == 1:
        return "".join(words), BOTH
    side = _SIDE_WORDS[words[at]]
    return "".join(words[:at] + words[at + 1 :]), side


def _plain(words: str, side: str) -> Meaning | None:
    stem = _ARKIT_WORDS.get(words)
    if stem is not None:
        return None if stem in _WAYS and not side else Meaning("arkit", stem, side)
    return None if side else _WHOLE.get(words)


# Names without a side.
_WHOLE = {
    **{
        f"{start}{words}": Meaning("viseme", name)
        for start in _VISEME_STARTS
        for words, name in _VISEMES.items()
    },
    **{f"{_VROID}mth{words}": Meaning("vowel", vowel) for words, vowel in _VOWELS_0.items()},
    **{f"{_VROID}all{words}": Meaning("mood", mood) for words, mood in _MOODS.items()},
}
