"""Rounding: how much narrower the mouth is in uw, ow and w than in iy.

A measure of our own. The width is the distance of the outer corners of the mouth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from talkcli.engine.metrics.phone_frames import at_middles
from talkcli.engine.metrics.take import Observations, Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment

# Symbol of the phone with spread lips, and those of the phones with rounded lips.
SPREAD = "IY"
ROUND = ("UW", "OW", "W")


def rounding_mm(widths_mm: Mapping[str, Sequence[float]]) -> float:
    """Return the mean mouth width of iy minus that of all uw, ow and w together, in millimetres.

    A positive value means that these are rounded. `widths_mm` holds the width in millimetres at the middle of
    each phone of all clips, by symbol. Raises UndefinedMetricError without an iy, and without any of the
    others.
    """
    rounded = [width for symbol in ROUND for width in widths_mm.get(symbol, ())]
    spread = widths_mm.get(SPREAD, ())
    if not rounded or not spread:
        raise UndefinedMetricError("needs iy, and one of uw, ow and w, in the words of all clips")
    return float(np.mean(spread) - np.mean(rounded))


def measure(take: Take, alignment: Alignment) -> Observations:
    """Return the mouth widths of a take at the middles of its phones, in millimetres."""
    return at_middles(take.width_mm(), alignment, (SPREAD, *ROUND), take.fps)
