"""Visemes: named mouth shapes of other programs, as curves of ARKit, and the phones that show them.

How to use it. `VISEME_SETS["oculus"]` is a set: its `names` in their order, its `poses` (for each name the
values of ARKit's curves), and the viseme of each phone.

    weights = viseme_weights(curves, VISEME_SETS["oculus"])     # (frames, visemes), from ARKit's curves

drives an avatar that has shapes of visemes only; weights times `poses` are curves again.
`face/viseme_cues.py` makes tracks with times.

Sets: `oculus` (the 15 of Oculus Lipsync, also of Ready Player Me), `microsoft` (the 22 ids of Azure speech),
`vrm` (the five of VRM 1, which are vowels; all at 0 is the mouth at rest), `rhubarb` (the shapes A to H and X
of Rhubarb Lip Sync). Which phones belong to a viseme follows the public descriptions of the four sets. The
poses are ours: clear, articulate shapes. Axis names: `frames`, `visemes` of a set, `features`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.channels import ARKIT
from talkcli.engine.types import SILENCE

Pose = Mapping[str, float]


def _mix(first: Pose, second: Pose, share: float) -> Pose:
    """Return the pose that has `share` of the first and the rest of the second."""
    names = dict.fromkeys((*first, *second))
    return {name: share * first.get(name, 0.0) + (1 - share) * second.get(name, 0.0) for name in names}


# The mouth shapes behind the sets; a name without a side stands for both sides.
_REST: Pose = {}
_LIPS: Pose = {
    "jawOpen": 0.08,
    "mouthClose": 0.08,
    "mouthPress": 0.25,
    "mouthRollLower": 0.1,
    "mouthRollUpper": 0.1,
}
_TEETH: Pose = {"jawOpen": 0.05, "mouthRollLower": 0.75, "mouthPress": 0.2, "mouthUpperUp": 0.3}
_BETWEEN: Pose = {"jawOpen": 0.12, "tongueOut": 0.5, "mouthLowerDown": 0.25, "mouthUpperUp": 0.1}
_RIDGE: Pose = {"jawOpen": 0.08, "mouthLowerDown": 0.18, "mouthUpperUp": 0.1, "mouthStretch": 0.05}
_BACK: Pose = {"jawOpen": 0.12, "mouthUpperUp": 0.02}
_HUSH: Pose = {"jawOpen": 0.03, "mouthFunnel": 0.4, "mouthPucker": 0.3, "mouthUpperUp": 0.1}
_HISS: Pose = {"jawOpen": 0.02, "mouthStretch": 0.28, "mouthLowerDown": 0.24, "mouthUpperUp": 0.14}
_LATERAL: Pose = {"jawOpen": 0.15, "mouthLowerDown": 0.16, "mouthUpperUp": 0.08, "tongueOut": 0.2}
_NASAL: Pose = {"jawOpen": 0.1, "mouthLowerDown": 0.12, "mouthUpperUp": 0.06, "tongueOut": 0.1}
_R: Pose = {"jawOpen": 0.1, "mouthFunnel": 0.4, "mouthPucker": 0.3}
_ER: Pose = {"jawOpen": 0.18, "mouthFunnel": 0.5, "mouthPucker": 0.15, "mouthUpperUp": 0.12}
_BREATH: Pose = {"jawOpen": 0.16, "mouthLowerDown": 0.1, "mouthUpperUp": 0.1}
_WIDE: Pose = {"jawOpen": 0.46, "mouthLowerDown": 0.3, "mouthUpperUp": 0.28}
_FLAT: Pose = {"jawOpen": 0.36, "mouthLowerDown": 0.28, "mouthUpperUp": 0.32, "mouthStretch": 0.2}
_MIDDLE: Pose = {
    "jawOpen": 0.28,
    "mouthLowerDown": 0.3,
    "mouthUpperUp": 0.3,
    "mouthStretch": 0.22,
    "mouthSmile": 0.08,
}
_NEAR: Pose = {"jawOpen": 0.18, "mouthLowerDown": 0.28, "mouthUpperUp": 0.26, "mouthStretch": 0.24}
_SPREAD: Pose = {
    "jawOpen": 0.1,
    "mouthLowerDown": 0.34,
    "mouthUpperUp": 0.3,
    "mouthStretch": 0.38,
    "mouthSmile": 0.28,
}
_ROUND: Pose = {"jawOpen": 0.3, "mouthFunnel": 0.6, "mouthPucker": 0.25}
_OPEN_ROUND: Pose = {"jawOpen": 0.4, "mouthFunnel": 0.5, "mouthPucker": 0.1}
_TIGHT: Pose = {"jawOpen": 0.1, "mouthFunnel": 0.35, "mouthPucker": 0.8}

_SIDED = {name.removesuffix("Left") for name in ARKIT if name.endswith("Left")}


def _both_sides(pose: Pose) -> Pose:
    """Return the pose in ARKit's own names."""
    sided: dict[str, float] = {}
    for name, value in pose.items():
        sided |= {f"{name}{side}": value for side in ("Left", "Right")} if name in _SIDED else {name: value}
    assert set(sided) <= set(ARKIT)
    return sided


@dataclass(frozen=True)
class VisemeSet:
    """The visemes of one program."""

    name: str
    shapes: Mapping[str, Pose]
    """Mouth shape of each viseme, in the set's order; a name without a side stands for both sides."""
    phones: Mapping[str, str]
    """Phones of each viseme: ARPAbet symbols without stress, separated by spaces."""
    rest: str | None
    """Viseme of the mouth at rest and of silence; None where all others at 0 show it."""
    resting: str = ""
    """Phones that show the mouth at rest, beside silence. Every other phone without a viseme shows that of
    the phone before it."""
    diphthongs: Mapping[str, str] = field(default_factory=dict)
    """Visemes of diphthongs, with their phones. A picture does not tell them from the vowels in them, so that
    `viseme_weights` leaves them at 0."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the visemes in their order."""
        return tuple(self.shapes)

    @cached_property
    def poses(self) -> Mapping[str, Pose]:
        """Values from 0 to 1 of ARKit's curves for each viseme at 1; a curve that is not named is 0."""
        return {name: _both_sides(shape) for name, shape in self.shapes.items()}

    @property
    def contact(self) -> str | None:
        """Viseme of lips that touch, as for p: that at rest in a set without one of its own."""
        ((viseme, _),) = self.of_phone["P"]
        return viseme

    @cached_property
    def of_phone(self) -> Mapping[str, tuple[tuple[str | None, float], ...]]:
        """For each ARPAbet phone the visemes that it shows one after the other, each with its share of the
        duration. None is the mouth at rest of a set without a viseme for it. A phone that is missing shows
        what the phone before it shows.
        """
        single: dict[str, str | None] = dict.fromkeys((SILENCE, *self.resting.split()), self.rest)
        for name, phones in (*self.phones.items(), *self.diphthongs.items()):
            single |= dict.fromkeys(phones.split(), name)
        parted = {phone: parts for phone, parts in _DIPHTHONGS.items() if phone not in single}
        return {
            **{phone: ((viseme, 1.0),) for phone, viseme in single.items()},
            **{
                phone: tuple((single[part], share) for part, share in parts)
                for phone, parts in parted.items()
            },
        }


# Diphthongs of sets that have no viseme for them: the vowels that follow each other, and their shares.
_DIPHTHONGS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "AW": (("AA", 0.6), ("UW", 0.4)),
    "AY": (("AA", 0.6), ("IH", 0.4)),
    "EY": (("EH", 0.5), ("IY", 0.5)),
    "OW": (("AO", 0.6), ("UW", 0.4)),
    "OY": (("AO", 0.5), ("IY", 0.5)),
}

_OCULUS = VisemeSet(
    "oculus",
    {
        "sil": _REST, "PP": _LIPS, "FF": _TEETH, "TH": _BETWEEN, "DD": _RIDGE, "kk": _BACK, "CH": _HUSH,
        "SS": _HISS, "nn": _NASAL, "RR": _R, "aa": _WIDE, "E": _MIDDLE, "ih": _NEAR, "oh": _ROUND,
        "ou": _TIGHT,
    },
    {
        "PP": "P B M", "FF": "F V", "TH": "TH DH", "DD": "T D", "kk": "K G NG HH", "CH": "CH JH SH ZH",
        "SS": "S Z", "nn": "N L", "RR": "R ER", "aa": "AA AE AH", "E": "EH", "ih": "IH IY Y", "oh": "AO",
        "ou": "UH UW W",
    },
    rest="sil",
)  # fmt: skip

_MICROSOFT = VisemeSet(
    "microsoft",
    {
        "0": _REST, "1": _FLAT, "2": _WIDE, "3": _OPEN_ROUND, "4": _MIDDLE, "5": _ER,
        "6": _SPREAD, "7": _TIGHT, "8": _ROUND, "9": _mix(_WIDE, _TIGHT, 0.6),
        "10": _mix(_OPEN_ROUND, _SPREAD, 0.5), "11": _mix(_WIDE, _NEAR, 0.6), "12": _BREATH, "13": _R,
        "14": _LATERAL, "15": _HISS, "16": _HUSH, "17": _BETWEEN, "18": _TEETH, "19": _RIDGE, "20": _BACK,
        "21": _LIPS,
    },
    {
        "1": "AE AH", "2": "AA", "3": "AO", "4": "EH UH", "5": "ER", "6": "IH IY Y", "7": "UW W", "8": "OW",
        "12": "HH", "13": "R", "14": "L", "15": "S Z",
        "16": "SH CH JH ZH", "17": "DH", "18": "F V", "19": "D T N TH", "20": "K G NG", "21": "P B M",
    },
    rest="0",
    diphthongs={"9": "AW", "10": "OY", "11": "AY"},
)  # fmt: skip

_VRM = VisemeSet(
    "vrm",
    {"aa": _WIDE, "ih": _SPREAD, "ou": _TIGHT, "ee": _MIDDLE, "oh": _ROUND},
    {"aa": "AA AE AH", "ih": "IH IY Y", "ou": "UH UW W", "ee": "EH", "oh": "AO ER R"},
    rest=None,
    resting="P B M F V",
)

_RHUBARB = VisemeSet(
    "rhubarb",
    {
        "A": _LIPS, "B": _HISS, "C": _FLAT, "D": _WIDE, "E": _ER, "F": _TIGHT, "G": _TEETH,
        "H": _LATERAL, "X": _REST,
    },
    {
        "A": "P B M", "B": "K G NG S Z SH ZH CH JH T D N TH DH Y HH IY IH R", "C": "EH AE AH UH", "D": "AA",
        "E": "AO ER", "F": "UW W OW", "G": "F V", "H": "L",
    },
    rest="X",
)  # fmt: skip

VISEME_SETS: Mapping[str, VisemeSet] = {
    visemes.name: visemes for visemes in (_OCULUS, _MICROSOFT, _VRM, _RHUBARB)
}

# Curves that decide which viseme a mouth shows, with their weights; of both sides the mean counts. `opening`
# and `contact` are made of `jawOpen` and `mouthClose`.
_SEEN: Mapping[str, float] = {
    "opening": 2.0, "contact": 1.0, "mouthFunnel": 1.0, "mouthPucker": 1.0, "mouthStretch": 0.5,
    "mouthSmile": 0.25, "mouthLowerDown": 0.5, "mouthUpperUp": 0.5, "mouthPress": 0.5,
    "mouthRollLower": 1.0, "mouthRollUpper": 0.5, "tongueOut": 1.0,
}  # fmt: skip
# `jawOpen` from which lips on each other are a contact: below it they rest.
_PARTED = 0.05


def viseme_weights(
    curves: Mapping[str, Float[np.ndarray, "frames"]], visemes: VisemeSet
) -> Float[np.ndarray, "frames visemes"]:
    """Return the weight from 0 to 1 of each viseme that together look most like ARKit's curves.

    They solve min |poses x - frame| with x >= 0 (non-negative least squares) on weighted curves of the mouth
    (`_SEEN`). The viseme at rest gets what the others leave of 1. If the others sum to more than 1, they are
    scaled to 1, so that an exaggerated face shows full visemes. Curves that are not named are 0.
    """
    from scipy.optimize import nnls

    frames = _features(curves)
    left = {visemes.rest, *visemes.diphthongs}
    moving = [index for index, name in enumerate(visemes.names) if name not in left]
    poses = [visemes.poses[visemes.names[index]] for index in moving]
    matrix = _features({name: np.array([pose.get(name, 0.0) for pose in poses]) for name in ARKIT}).T
    found = np.zeros((len(frames), len(moving)))
    for index, frame in enumerate(frames):
        found[index] = nnls(matrix, frame)[0]
    found /= np.maximum(found.sum(axis=1, keepdims=True), 1.0)
    weights = np.zeros((len(frames), len(visemes.names)), np.float32)
    weights[:, moving] = found
    if visemes.rest is not None:
        weights[:, visemes.names.index(visemes.rest)] = np.clip(1.0 - found.sum(axis=1), 0.0, 1.0)
    return weights


def _features(curves: Mapping[str, Float[np.ndarray, "frames"]]) -> Float[np.ndarray, "frames features"]:
    """Return the weighted numbers by which mouths are compared.

    Opening is what `mouthClose` leaves of the jaw's. A contact of the lips is 1 for any jaw that is not shut,
    since a millimetre between the lips is the difference of a p to a vowel; it falls with the third power of
    the share that `mouthClose` closes.
    """
    still = np.zeros(len(next(iter(curves.values()))))

    def mean(name: str) -> Float[np.ndarray, "frames"]:
        sides = [f"{name}Left", f"{name}Right"] if name in _SIDED else [name]
        return np.asarray([curves.get(side, still) for side in sides], np.float64).mean(axis=0)

    closed = np.minimum(mean("mouthClose"), mean("jawOpen"))
    made = {
        "opening": mean("jawOpen") - closed,
        "contact": (closed / np.maximum(mean("jawOpen"), _PARTED)) ** 3,
    }
    return np.stack(
        [weight * (made[name] if name in made else mean(name)) for name, weight in _SEEN.items()], 1
    )
