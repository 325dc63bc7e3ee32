"""Co-articulation by dominance functions: an articulator takes the weighted mean of the phones around it.

Axis names: `steps` (100 Hz), `phones` (the targets), `names` (the channels of one articulator).
Source: Cohen & Massaro (1993). Two things differ: a dominance function here stays at its maximum in the
middle third of its phone, so that long phones reach their shapes, and lips start to round earlier (Perkell &
Matthies 1992).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.articulators import ARTICULATORS
from talkcli.engine.rules.visemes import OPENING, VISEMES, Viseme

# Time constants in seconds of the exponential decay of a dominance function: towards earlier times
# (anticipation), and towards later times (carry-over).
_FADE_BEFORE_S, _FADE_AFTER_S = 0.055, 0.045
# Factor on the anticipation of the articulator `round`: lips round earlier than they do anything else.
_ROUNDING_AHEAD = 1.6
# Distance in seconds beyond which a dominance function is ignored: it has decayed to less than e^-30.
_REACH_S = 3.0
# Number of steps computed at once, about 20 s; it bounds the memory of the steps-by-phones arrays.
_BLOCK_STEPS = 2048


@dataclass(frozen=True)
class Target:
    """The viseme to reach from `start_s` to `end_s`; `opening` is a factor on the opening of jaw and lips."""

    viseme: Viseme
    start_s: float
    end_s: float
    opening: float

    def in_parts(self, visemes: Mapping[str, Viseme] = VISEMES) -> list[Target]:
        """Return the parts of a diphthong in order, from `visemes`; for others the target alone."""
        parts, at = [], self.start_s
        for name, share in self.viseme.parts:
            end = at + share * (self.end_s - self.start_s)
            parts.append(Target(visemes[name], at, end, self.opening))
            at = end
        return parts or [self]


def blended(
    time: Float[np.ndarray, "steps"], targets: Sequence[Target], articulator: str
) -> Float[np.ndarray, "steps names"]:
    """Return the mean of the targets' shapes, weighted by their dominance, for the channels of `articulator`.

    The function works in blocks of steps, so that its memory grows with the steps and not with steps times
    phones.

    Args:
        time: Times of the steps, in seconds, ascending.
        targets: Targets of the whole sound, at least one.
        articulator: Name in `ARTICULATORS`.
    """
    names = ARTICULATORS[articulator]
    poses = np.array([[target.viseme.pose.get(name, 0.0) for name in names] for target in targets])
    if articulator in OPENING:
        poses *= np.array([target.opening for target in targets])[:, None]
    dominance = np.array([target.viseme.dominance[articulator] for target in targets])
    start = np.array([target.start_s for target in targets])
    end = np.array([target.end_s for target in targets])
    ahead_s = _FADE_BEFORE_S * (_ROUNDING_AHEAD if articulator == "round" else 1.0)
    values = np.zeros((len(time), len(names)))
    for first in range(0, len(time), _BLOCK_STEPS):
        block = time[first : first + _BLOCK_STEPS]
        near = (start <= block[-1] + _REACH_S) & (end >= block[0] - _REACH_S)
        # Half the middle third of each phone, where its dominance function is at its maximum.
        core = (end - start)[near] / 6
        centre = (start + end)[near] / 2
        early = np.maximum(centre - core - block[:, None], 0)
        late = np.maximum(block[:, None] - centre - core, 0)
        claims = dominance[near] * np.exp(-early / ahead_s - late / _FADE_AFTER_S)
        claims /= np.maximum(claims.sum(axis=1, keepdims=True), 1e-12)
        values[first : first + len(block)] = claims @ poses[near]
    return values
