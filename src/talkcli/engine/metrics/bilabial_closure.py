"""Bilabial closure: the share of p, b and m in which the lips meet.

Axis names: `frames`. A measure of our own. It extends each phone by one frame at 25 fps (40 ms) on either
side, since the aligner places the starts of phones with a median error of 10 ms.
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
    """Return the share of p, b and m in which the lips meet, and the number of these phones.

    The lips meet when the gap of at least one frame is under 1 mm; the frames lie within the phone and 40 ms
    on either side.

    Args:
        gap_mm: Mean distance of the inner-lip landmark pairs in millimetres, minus that of the head at rest
            (0 for ada).
        alignment: Phones of the speech and their times.
        fps: Frame rate of `gap_mm`.

    Raises:
        UndefinedMetricError: When no frame belongs to a p, b or m.
    """
    phones = [phone for phone in alignment.phones if phone.symbol in BILABIALS]
    return reached_share(gap_mm < CLOSED_MM, phones, fps)


def measure(take: Take, alignment: Alignment) -> Share:
    """Measure `bilabial_closure` of a take."""
    return Share(*bilabial_closure(take.gap_mm(), alignment, take.fps))
