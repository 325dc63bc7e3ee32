"""Mouth-opening difference: how far the opening of the mouth is from the true one.

Axis names: `frames`. Source of the idea: DiffPoseTalk (Sun et al. 2024), which publishes no code; the mean
absolute difference of the inner-lip opening is our reading of its text. `mod_msmd` is the snippet that an
author of another paper posted.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.metrics.take import Take

# Landmarks of the iBUG scheme that the snippet subtracts: the middle of the outer contour of both lips.
_OUTER_UPPER, _OUTER_LOWER = 51, 57

Landmarks = Float[np.ndarray, "frames 68 3"]
Track = Float[np.ndarray, "frames"]


def mod_mm(opening_mm: Track, true_mm: Track) -> float:
    """Return the mean absolute difference of two lip openings, in millimetres."""
    return float(np.abs(opening_mm - true_mm).mean())


def mod_msmd(landmarks: Landmarks, true: Landmarks) -> float:
    """Return the root of the mean squared difference of the openings over time, in metres.

    Source: ubisoft-laforge-msmd (answer of an author, issue 2). The opening is the root of the mean over x, y
    and z of the squared difference of landmarks 51 and 57: their distance divided by the root of 3.
    """
    openings = [_opening(marks) for marks in (landmarks, true)]
    return float(np.sqrt(np.square(openings[0] - openings[1]).mean()))


def _opening(landmarks: Landmarks) -> Track:
    apart = landmarks[:, _OUTER_UPPER].astype(np.float64) - landmarks[:, _OUTER_LOWER]
    return np.sqrt(np.square(apart).mean(axis=-1))


def measure_mm(take: Take, true: Take) -> float:
    """Measure `mod_mm` of the lip gap of a take."""
    return mod_mm(take.gap_mm(), true.gap_mm())


def measure_msmd(take: Take, true: Take) -> float:
    """Measure `mod_msmd` of a take."""
    return mod_msmd(take.landmarks(), true.landmarks())
