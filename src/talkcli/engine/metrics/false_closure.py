"""False closure: the share of long vowels inside of which the lips meet, which they must not do.

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

# Duration in seconds that a vowel must exceed to be counted.
SHORTEST_S = 0.08
# Part in seconds that is left out at either end of a vowel, because the aligner's times are inexact. Next to
# p, b and m `SLACK_S` is left out instead, which `bilabial_closure` adds to these phones.
_EDGE_S = 0.02


def false_closure(gap_mm: Float[np.ndarray, "frames"], alignment: Alignment, fps: float) -> tuple[float, int]:
    """Return the share of long vowels and diphthongs inside of which the lips meet, and the number of these
    vowels.

    A vowel is long when it exceeds 80 ms. Its inside leaves out 20 ms at either end, or 40 ms at an end next
    to a p, b or m; vowels without a frame inside are not counted. The lips meet when the gap of a frame is
    under 1 mm.

    Args:
        gap_mm: Mean distance of the inner-lip landmark pairs in millimetres, minus that of the head at rest.
        alignment: Phones of the speech and their times.
        fps: Frame rate of `gap_mm`.

    Raises:
        UndefinedMetricError: When there is no such vowel.
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
