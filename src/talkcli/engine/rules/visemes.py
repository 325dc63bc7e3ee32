"""The visemes: the target shape of each phone, and its dominance over each articulator.

A shape names channels of ada; a name without a side stands for both sides. `jawPitch` is in radians, all
other channels are in [0, 1]. Dominance follows Cohen & Massaro (1993): it is the weight of a phone in the
weighted mean that an articulator takes (`dominance.py`), and it decays with the distance in time. A vowel has
a high dominance over jaw and lips. A /t/ has one over jaw and tongue and nearly none over the lips, so that
the lips keep the neighbours' shape. Shapes follow Edwards et al. (2016, JALI) and the viseme classes of
lip-readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from talkcli.engine.face.articulators import ARTICULATORS
from talkcli.engine.face.captured import Gains, captured
from talkcli.engine.types import SILENCE

# The articulators that open the mouth; loudness scales their shapes.
OPENING = ("jaw", "part")


@dataclass(frozen=True)
class Viseme:
    """The shape of one phone and its weight in co-articulation."""

    pose: Mapping[str, float]
    """Values of ada's channels, a missing channel being 0; `jawPitch` in radians, the others in [0, 1]."""
    dominance: Mapping[str, float]
    """Weight of the shape for each articulator; at 0 the neighbours decide alone."""
    contact: str | None = None
    """Closure that the face must reach at any speed: `lips` (p, b, m), `teeth` (f, v) or None."""
    parts: tuple[tuple[str, float], ...] = field(default=())
    """Visemes of a diphthong in order, each a name in `VISEMES` and its share of the duration."""


def _vowel(**pose: float) -> Viseme:
    claims = {"jaw": 1.0, "round": 1.0, "spread": 1.0, "part": 1.0, "press": 0.6, "tongue": 0.4}
    return Viseme(pose, claims)


def _consonant(
    jaw: float, lips: float = 0.0, *, contact: str | None = None, tongue: float = 0.4, **pose: float
) -> Viseme:
    claims = {
        "jaw": jaw,
        "round": lips,
        "spread": lips,
        "part": lips,
        "press": max(lips, 0.4),
        "tongue": tongue,
    }
    return Viseme(pose, claims, contact=contact)


def _diphthong(first: str, second: str, share: float = 0.5) -> Viseme:
    return Viseme({}, {}, parts=((first, share), (second, 1.0 - share)))


# The hand-made visemes by ARPAbet symbol without stress, which captured faces move a little
# (`VISEMES`); `O` is no symbol but the first part of OW.
HAND_MADE: dict[str, Viseme] = {
    SILENCE: Viseme({}, dict.fromkeys(ARTICULATORS, 1.5)),
    "AA": _vowel(jawPitch=0.160, mouthLowerDown=0.20, mouthUpperUp=0.20),
    "AE": _vowel(jawPitch=0.135, mouthLowerDown=0.30, mouthUpperUp=0.35, mouthStretch=0.25, mouthSmile=0.10),
    "AH": _vowel(jawPitch=0.118, mouthLowerDown=0.22, mouthUpperUp=0.22),
    "AO": _vowel(jawPitch=0.120, mouthFunnel=0.50, mouthPucker=0.15),
    "EH": _vowel(jawPitch=0.100, mouthLowerDown=0.28, mouthUpperUp=0.30, mouthStretch=0.20, mouthSmile=0.05),
    "ER": _vowel(jawPitch=0.060, mouthFunnel=0.40, mouthPucker=0.25),
    "IH": _vowel(jawPitch=0.065, mouthLowerDown=0.25, mouthUpperUp=0.25, mouthStretch=0.20),
    "IY": _vowel(jawPitch=0.035, mouthLowerDown=0.35, mouthUpperUp=0.32, mouthStretch=0.40, mouthSmile=0.30),
    "UH": _vowel(jawPitch=0.055, mouthFunnel=0.40, mouthPucker=0.35),
    "UW": _vowel(jawPitch=0.035, mouthFunnel=0.30, mouthPucker=0.80),
    "O": _vowel(jawPitch=0.085, mouthFunnel=0.60, mouthPucker=0.35),
    "AW": _diphthong("AA", "UW", 0.6),
    "AY": _diphthong("AA", "IH", 0.6),
    "EY": _diphthong("EH", "IY"),
    "OW": _diphthong("O", "UW", 0.6),
    "OY": _diphthong("AO", "IY"),
    "B": _consonant(0.9, 0.9, contact="lips", jawPitch=0.030, mouthPress=0.12),
    "M": _consonant(0.9, 0.9, contact="lips", jawPitch=0.030, mouthPress=0.05, mouthRollLower=0.08),
    "P": _consonant(0.9, 0.9, contact="lips", jawPitch=0.030, mouthPress=0.18),
    "F": _consonant(0.9, 0.9, contact="teeth", jawPitch=0.030),
    "V": _consonant(0.9, 0.9, contact="teeth", jawPitch=0.030),
    "W": _consonant(0.7, 1.2, jawPitch=0.025, mouthPucker=0.90, mouthFunnel=0.20),
    "R": _consonant(0.5, 0.7, jawPitch=0.040, mouthFunnel=0.40, mouthPucker=0.30),
    "CH": _consonant(1.4, 1.0, jawPitch=0.008, mouthFunnel=0.25, mouthPucker=0.28),
    "JH": _consonant(1.4, 1.0, jawPitch=0.008, mouthFunnel=0.24, mouthPucker=0.28),
    "SH": _consonant(1.6, 1.2, jawPitch=0.006, mouthFunnel=0.22, mouthPucker=0.36),
    "ZH": _consonant(1.6, 1.2, jawPitch=0.006, mouthFunnel=0.22, mouthPucker=0.36),
    "S": _consonant(1.5, 0.8, jawPitch=0.005, mouthStretch=0.25, mouthLowerDown=0.20, mouthUpperUp=0.12),
    "Z": _consonant(1.4, 0.8, jawPitch=0.006, mouthStretch=0.22, mouthLowerDown=0.17, mouthUpperUp=0.10),
    "D": _consonant(0.7, 0.15, tongue=0.8, jawPitch=0.030, tongueOut=0.25, mouthLowerDown=0.15),
    "T": _consonant(0.8, 0.15, tongue=0.8, jawPitch=0.025, tongueOut=0.25, mouthLowerDown=0.15),
    "N": _consonant(0.6, 0.15, tongue=0.8, jawPitch=0.032, tongueOut=0.25, mouthLowerDown=0.12),
    "L": _consonant(0.5, 0.15, tongue=1.2, jawPitch=0.060, mouthLowerDown=0.18, tongueOut=0.40),
    "DH": _consonant(0.9, 0.3, tongue=2.0, jawPitch=0.045, mouthLowerDown=0.28, tongueOut=0.62),
    "TH": _consonant(1.0, 0.3, tongue=2.0, jawPitch=0.045, mouthLowerDown=0.28, tongueOut=0.70),
    "G": _consonant(0.4, 0.05, jawPitch=0.050),
    "K": _consonant(0.45, 0.05, jawPitch=0.045),
    "NG": _consonant(0.4, 0.05, jawPitch=0.050),
    "Y": _consonant(0.5, 0.5, jawPitch=0.035, mouthStretch=0.30, mouthLowerDown=0.18),
    "HH": _consonant(0.15, 0.0, jawPitch=0.060),
}  # fmt: skip

# Names of the channels on which `Gains` act.
_OPEN, _ROUND, _SPREAD = ("jawPitch", *ARTICULATORS["part"]), ARTICULATORS["round"], ARTICULATORS["spread"]


def scaled(gains: Mapping[str, Gains]) -> dict[str, Viseme]:
    """Return the hand-made visemes with the factors of `gains` on their shapes; a phone without a row keeps
    its shape.
    """
    return {symbol: _with(viseme, gains.get(symbol, Gains())) for symbol, viseme in HAND_MADE.items()}


def _with(viseme: Viseme, gains: Gains) -> Viseme:
    factors = dict.fromkeys(_OPEN, gains.opening)
    factors |= dict.fromkeys(_ROUND, gains.rounding) | dict.fromkeys(_SPREAD, 1 / gains.rounding)
    pose = {name: value * factors.get(name, 1.0) for name, value in viseme.pose.items()}
    # Shares of a full scale end at 1; no jaw opens so far.
    return replace(viseme, pose={name: min(value, 1.0) for name, value in pose.items()})


# The visemes of the performer: the hand-made ones, moved towards captured faces as far as the limits of the
# fit allow (docs/captured.md).
VISEMES = scaled(captured().gains)

# The viseme of a silence too short to rest in: with its low dominance the mouth relaxes part of the way.
MICRO_PAUSE = Viseme({}, dict.fromkeys(ARTICULATORS, 0.7))
