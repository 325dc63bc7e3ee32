"""Lip and lid curves in front view: the parting, the border of the red, the opening of the eye.

Axis names: `points`. Millimetres in the frame of `field`; the subject's left half (x >= 0). `s` runs from 0
at the midline to 1 at the corner of the mouth, `t` from 0 at the inner to 1 at the outer corner of the eye.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, "*points"]

MOUTH_HALF_WIDTH = 24.2
MOUTH_Y = -69.5
EYE_INNER_X, EYE_OUTER_X = 17.0, 46.2


def bump(x: Values, centre: float, width: float) -> Values:
    """Return a Gaussian of height one."""
    return np.exp(-(((x - centre) / width) ** 2))


def smoothstep(x: Values, low: float, high: float) -> Values:
    """Return 0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def parting_y(s: Values) -> Values:
    """Return height of the line on which the lips meet: a tubercle at the middle, corners as high as it."""
    return MOUTH_Y - 0.55 * bump(s, 0.0, 0.18) + 0.7 * bump(s, 0.36, 0.22) - 0.25 * bump(s, 0.72, 0.22)


def upper_border_y(s: Values) -> Values:
    """Return height of the upper edge of the red: cupid's bow."""
    arch = 6.9 * np.sqrt(np.clip(1.0 - s**1.7, 0.0, None)) * (1.0 - 0.12 * s)
    return MOUTH_Y + arch - 1.5 * bump(s, 0.0, 0.13) + 0.9 * bump(s, 0.24, 0.13)


def lower_border_y(s: Values) -> Values:
    """Return height of the lower edge of the red."""
    return MOUTH_Y - 9.6 * np.clip(1.0 - s**2.3, 0.0, None) ** 0.75


def lid_axis_y(t: Values) -> Values:
    """Return the straight line through the corners of the eye: it rises outwards by three degrees."""
    return -1.5 + 1.6 * t


def upper_lid_y(t: Values) -> Values:
    """Return height of the upper lid's edge with the eye open: highest a little medial to the pupil, it
    covers 0.9 mm of the iris.
    """
    return lid_axis_y(t) + 5.75 * np.sin(np.pi * np.clip(t, 0, 1) ** 0.87) ** 0.74


def lower_lid_y(t: Values) -> Values:
    """Return height of the lower lid's edge with the eye open: lowest lateral to the pupil, it touches the
    iris.
    """
    return lid_axis_y(t) - 5.25 * np.sin(np.pi * np.clip(t, 0, 1) ** 1.2) ** 0.85


def closed_lid_y(t: Values) -> Values:
    """Return height at which the lids meet."""
    return lid_axis_y(t) - 3.1 * np.sin(np.pi * np.clip(t, 0, 1) ** 1.1) ** 0.9
