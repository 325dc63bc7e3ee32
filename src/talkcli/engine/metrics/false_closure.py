"""False closure: do the lips meet where they must not, inside of long vowels?

Axis names: `frames`. A measure of our own.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.phones import BILABIALS, VOWELS
from talkcli.engine.metrics.phone_frames import CLOSED_MM, SAME_S, SLACK_S, between, share
from talkcli.engine.metrics.take import Share, Take
from talkcli.engine.types import SILENCE, Alignment, Phone

SHORTEST_S = 0.08
# What is left out at either end of a vowel, where aligners are off; next to p, b and m it is what these are
# granted.
_EDGE_S = 0.02


def false_closure(gap_mm: Float[np.ndarray, "frames"], alignment: Alignment, fps: float) -> tuple[float, int]:
    """Return share of the vowels and diphthongs longer than 80 ms that have a frame inside whose lip gap is
    under 1 mm; and their number.

    Inside: without 20 ms at either end, or 40 ms at an end that a p, b or m adjoins. Vowels that no frame
    falls inside of are not counted. `gap_mm` is above the gap of the head at rest. Undefined without such a
    vowel.
    """
    found = []
    outside = Phone(SILENCE, 0.0, 0.0)
    phones = (outside, *alignment.phones, outside)
    for (before, vowel), (_, after) in pairwise(pairwise(phones)):
        if vowel.symbol in VOWELS and vowel.duration_s > SHORTEST_S + SAME_S:
            start, end = (SLACK_S if one.symbol in BILABIALS else _EDGE_S for one in (before, after))
            inside = gap_mm[between(vowel.start_s + start, vowel.end_s - end, len(gap_mm), fps)]
            if len(inside):
                found.append(bool((inside < CLOSED_MM).any()))
    return share(found, "vowel over 80 ms")


def measure(take: Take, alignment: Alignment) -> Share:
    """Measure `false_closure` of a take."""
    return Share(*false_closure(take.gap_mm(), alignment, take.fps))
