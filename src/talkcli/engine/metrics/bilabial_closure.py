"""Bilabial closure: do the lips meet in p, b and m?

Axis names: `frames`.
A measure of our own, with the tolerance of one frame at 25 fps that aligners need: a phone's start is off by
10 ms in the median.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.phones import BILABIALS
from talkcli.engine.metrics.phone_frames import CLOSED_MM, reached_share
from talkcli.engine.metrics.take import Share, Take
from talkcli.engine.types import Alignment


def bilabial_closure(
    gap_mm: Float[np.ndarray, "frames"], alignment: Alignment, fps: float
) -> tuple[float, int]:
    """Return share of p, b and m with a frame, within the phone and 40 ms on either side, whose lip gap is
    under 1 mm; and their number.

    `gap_mm` is the mean distance of the inner-lip landmark pairs above what it is in the head at rest (ada's
    is 0 there). Undefined without a p, b or m.
    """
    phones = [phone for phone in alignment.phones if phone.symbol in BILABIALS]
    return reached_share(gap_mm < CLOSED_MM, phones, fps)


def measure(take: Take, alignment: Alignment) -> Share:
    """Measure `bilabial_closure` of a take."""
    return Share(*bilabial_closure(take.gap_mm(), alignment, take.fps))
