"""Co-articulation by dominance functions: each phone near by weighs on an articulator.

Axis names: `steps` at 100 Hz, `phones`, `names` = channels of an articulator.
Source: Cohen & Massaro (1993), with claims that stay full in the middle of a phone, so that long sounds reach
their shapes, and lips that round early (Perkell & Matthies 1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.articulators import ARTICULATORS
from talkcli.engine.rules.visemes import OPENING, VISEMES, Viseme

# A claim's decay ahead of its phone (anticipation) and behind it (carry-over).
_FADE_BEFORE_S, _FADE_AFTER_S = 0.055, 0.045
# Lips round this many times earlier than they do anything else.
_ROUNDING_AHEAD = 1.6
# So far away, nothing is left of a claim.
_REACH_S = 3.0
_BLOCK_STEPS = 2048


@dataclass(frozen=True)
class Target:
    """A shape to be in from `start_s` to `end_s`; `opening` scales how far jaw and lips open for it."""

    viseme: Viseme
    start_s: float
    end_s: float
    opening: float

    def in_parts(self) -> list[Target]:
        """Return the parts of a diphthong, one after the other; else the target itself."""
        parts, at = [], self.start_s
        for name, share in self.viseme.parts:
            end = at + share * (self.end_s - self.start_s)
            parts.append(Target(VISEMES[name], at, end, self.opening))
            at = end
        return parts or [self]


def blended(
    time: Float[np.ndarray, "steps"], targets: Sequence[Target], articulator: str
) -> Float[np.ndarray, "steps names"]:
    """Return what the channels of `articulator` amount to at `time`, in seconds.

    In blocks, so that memory grows with the steps alone.
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
        # A claim is full in the middle third of its phone and fades from there.
        core = (end - start)[near] / 6
        centre = (start + end)[near] / 2
        early = np.maximum(centre - core - block[:, None], 0)
        late = np.maximum(block[:, None] - centre - core, 0)
        claims = dominance[near] * np.exp(-early / ahead_s - late / _FADE_AFTER_S)
        claims /= np.maximum(claims.sum(axis=1, keepdims=True), 1e-12)
        values[first : first + len(block)] = claims @ poses[near]
    return values
