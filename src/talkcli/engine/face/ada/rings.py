"""Rings of points round the mouth, the eyes and the nostrils, outwards over the skin and inwards behind it.

Axis names: `columns` (points of one ring). Millimetres; the left half or the left eye.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import arch, curves, field

Points = Float[np.ndarray, "_ 3"]

LIP_STEPS = 16  # columns from the midline to the corner
LID_STEPS = 15  # columns from the inner to the outer corner
RED = (0.0, 0.07, 0.18, 0.34, 0.52, 0.70, 0.85, 0.95, 1.0)  # rings across the red of the lips
LIP_OUT = (1.1, 2.6, 4.8, 7.6)  # rings beyond it, mm
LID_OUT = (0.8, 1.8, 2.9, 3.9, 4.8, 6.0, 7.8, 10.0)
NOSTRIL_STEPS = 14
NOSTRIL = np.array([6.9, -46.0, 99.6])


def lip_columns() -> tuple[Float[np.ndarray, "columns"], Float[np.ndarray, "columns"]]:
    """Return `s` and side (+1 upper, 0 corner, -1 lower) of the columns of the left half."""
    s = np.sin(np.linspace(0.0, np.pi / 2, LIP_STEPS)) ** 1.08
    return np.concatenate([s, s[-2::-1]]), np.concatenate(
        [np.ones(LIP_STEPS - 1), [0.0], -np.ones(LIP_STEPS - 1)]
    )


def lip_rings() -> list[Points]:
    """Return rings from the line of contact outwards."""
    s, side = lip_columns()
    part, border = (
        curves.parting_y(s),
        np.where(side >= 0, curves.upper_border_y(s), curves.lower_border_y(s)),
    )
    fall = np.clip(1.0 - s**2.6, 0.0, None)
    # A tubercle in the middle of the upper lip between two flatter parts; the lower lip has two, beside it.
    lobes = np.where(
        side > 0,
        2.5 + 1.0 * curves.bump(s, 0.0, 0.17) + 0.45 * curves.bump(s, 0.5, 0.22),
        3.4 - 0.3 * curves.bump(s, 0.0, 0.22) + 0.4 * curves.bump(s, 0.4, 0.24),
    )
    swell = lobes * fall**0.8
    out = np.stack([s, side * np.sqrt(np.clip(1 - s**2, 0, None))], 1)
    rings = []
    for f in (*RED, *(1.0 + d for d in LIP_OUT)):
        red, beyond = min(f, 1.0), max(f - 1.0, 0.0)
        x = curves.MOUTH_HALF_WIDTH * s + 1.6 * red * s**4 + out[:, 0] * beyond
        y = part + (border - part) * red + out[:, 1] * beyond
        p = field.cast_front(x, y)
        # The red rolls out of the parting, is fullest before its middle, and meets the skin at a white roll.
        profile = np.sin(np.pi * red**0.62) ** 0.8 if 0 < red < 1 else 0.0
        roll = 0.3 * np.exp(-(((beyond - 0.5) / 1.1) ** 2)) if f >= 1 else 0.0
        # Beyond the corner the skin tucks in.
        tuck = 1.0 * np.exp(-(((beyond - 1.8) / 1.6) ** 2)) * s**10
        p[:, 2] += swell * profile + roll * fall - (1.0 - red) ** 4 * (2.2 + 1.0 * s) - tuck
        rings.append(p)
    return rings


# From the line of contact inwards: share of the way to the arch, height above or below the contact,
# clearance.
INNER = (
    (0.22, 0.1, 0.9),
    (0.52, 0.7, 0.9),
    (0.86, 2.6, 0.9),
    (1.0, 6.5, 1.0),
    (1.0, 11.0, 1.3),
    (1.0, 14.0, 1.3),
)
_LOWER_RISE = 1.2
# Beyond this distance from the midline the cheeks line the arch, not the lips.
_CHEEK_X = 28.0
# How far the motion of the line of contact reaches into the mouth: what lines the teeth stays on them.
_FOLLOW_MM = 6.0
# Palate, cheeks and floor, to the throat: z, half a width, height of the roof over the middle, depth of the
# floor under it.
_CAVITY = (
    (75.0, 33.5, 18.0, 17.0),
    (56.0, 33.0, 19.0, 17.0),
    (42.0, 28.0, 18.0, 17.0),
    (31.0, 19.0, 13.0, 15.5),
    (26.0, 5.0, 4.5, 4.5),
)
_CAVITY_Y = -71.0


def bag_rings(contact: Points) -> list[Points]:
    """Return rings from just behind the contact line to the throat, innermost first.

    Lips and cheeks line the arches, a millimetre before the teeth, up and down to the folds over the gums.
    """
    s, side = lip_columns()
    rings = []
    high = np.sqrt(np.clip(1 - s**6, 0, 1))
    for share, rise, clear in INNER:
        p = contact.copy()
        # The corners are far from the arch.
        way = share * (1.0 - 0.5 * (1.0 - share) * s**8)
        p[:, 0] += way * (5.8 * s**2 + 4.0 * s**8)
        walls = [row.z(np.minimum(p[:, 0], _CHEEK_X), clear) for row in (arch.UPPER, arch.LOWER)]
        # The edges of the upper teeth stand before the lower lip too.
        wall = np.where((side > 0) | (rise < 4.0), walls[0], np.where(side < 0, walls[1], 0.5 * sum(walls)))
        p[:, 2] += way * (wall - p[:, 2])
        p[:, 1] += np.where(side > 0, rise, -_LOWER_RISE * rise) * np.abs(side) * high
        rings.append(p)
    angle = np.arccos(np.clip(s, 0, 1))
    # Boxes with round corners: the molars stand in them.
    across, up = np.cos(angle) ** (2 / 3), side * np.sin(angle) ** (2 / 3)
    for z, wide, roof, floor in _CAVITY:
        y = _CAVITY_Y + np.where(side > 0, roof, floor) * up
        rings.append(np.stack([wide * across, y, z - 12.0 * s**4 * (z > 70)], 1))
    return rings[::-1]


def follow(points: Points, contact: Points) -> Float[np.ndarray, "columns"]:
    """Return how much of the motion of the line of contact each point of a ring behind it follows."""
    return np.exp(-((np.linalg.norm(points - contact, axis=1) / _FOLLOW_MM) ** 2))


def lid_columns() -> tuple[Float[np.ndarray, "columns"], Float[np.ndarray, "columns"]]:
    """Return `t` and side of the columns round one eye; the corners belong to the upper run."""
    t = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, LID_STEPS))
    return np.concatenate([t, t[-2:0:-1]]), np.concatenate([np.ones(LID_STEPS), -np.ones(LID_STEPS - 2)])


def lid_inner(margin: Points) -> list[Points]:
    """Build the rings from the lid's edge back onto the eyeball and into it, innermost first."""
    d = margin - field.EYE
    d = d / np.linalg.norm(d, axis=1, keepdims=True)
    return [field.EYE + d * (field.EYE_RADIUS - 1.5), field.EYE + d * (field.EYE_RADIUS + 0.45)]


def lid_rings() -> list[Points]:
    """Return rings from the lid's edge outwards."""
    t, side = lid_columns()
    y = np.where(side > 0, curves.upper_lid_y(t), curves.lower_lid_y(t))
    x = curves.EYE_INNER_X + (curves.EYE_OUTER_X - curves.EYE_INNER_X) * t
    c = 2.0 * t - 1.0
    out = np.stack([c, side * np.sqrt(np.clip(1 - c**2, 0, None))], 1)
    return [field.cast_front(x + 0.75 * d * out[:, 0], y + d * out[:, 1]) for d in (0.0, *LID_OUT)]


def nostril_rings() -> list[Points]:
    """From inside the left nostril over its rim onto the skin, innermost first; clockwise seen from below."""
    turn = -2 * np.pi * np.arange(NOSTRIL_STEPS) / NOSTRIL_STEPS
    out, ahead = np.array([2.5, -0.3, -0.5]), np.array([-0.9, 0.4, 4.2])
    disc = np.cos(turn)[:, None] * out + np.sin(turn)[:, None] * ahead
    rim = field.settle(NOSTRIL + disc)
    skin = field.settle(NOSTRIL + 1.45 * disc)
    middle = rim.mean(0)
    deep = [
        middle + (rim - middle) * wide + np.array([-0.3, up, -1.0]) for wide, up in ((0.35, 6.0), (0.85, 2.2))
    ]
    return [*deep, rim, skin]
