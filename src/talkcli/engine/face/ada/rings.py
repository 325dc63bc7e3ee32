"""Rings of points round the mouth, the eyes and the nostrils, outwards over the skin and inwards behind it.

Axis names: `columns` (points of one ring). Millimetres; the left half or the left eye.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import curves, field

Points = Float[np.ndarray, "_ 3"]

LIP_STEPS = 16  # columns from the midline to the corner
LID_STEPS = 15  # columns from the inner to the outer corner
RED = (0.0, 0.14, 0.32, 0.52, 0.72, 0.88, 1.0)  # rings across the red of the lips
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
    swell = np.where(side >= 0, 2.3, 3.1) * np.clip(1.0 - s**2.6, 0.0, None) ** 0.8
    swell = swell + np.where(side > 0, 0.9 * curves.bump(s, 0.0, 0.2), 0.0)
    out = np.stack([s, side * np.sqrt(np.clip(1 - s**2, 0, None))], 1)
    rings = []
    for f in (*RED, *(1.0 + d for d in LIP_OUT)):
        red, beyond = min(f, 1.0), max(f - 1.0, 0.0)
        x = curves.MOUTH_HALF_WIDTH * s + 1.6 * red * s**4 + out[:, 0] * beyond
        y = part + (border - part) * red + out[:, 1] * beyond
        p = field.cast_front(x, y)
        # The red swells between the parting line and the border, and dips into the parting.
        profile = np.sin(np.pi * red**0.62) ** 0.9 if 0 < red < 1 else 0.0
        rim = 0.2 * np.exp(-((beyond - 0.3) ** 2)) if f >= 1 else 0.0
        p[:, 2] += swell * profile + rim * np.clip(1 - s**4, 0, 1) - (1.0 - red) ** 2 * (2.2 + 1.0 * s)
        rings.append(p)
    return rings


def bag_rings(contact: Points) -> list[Points]:
    """Return rings from just behind the contact line to the throat, innermost first."""
    s, side = lip_columns()
    rings = []
    #        back, up(upper), down(lower), wide
    for back, rise, wide in ((2.2, 0.05, 0.0), (4.6, 0.9, 0.6), (6.6, 4.5, 3.0), (7.2, 11.0, 7.0)):
        p = contact.copy()
        p[:, 2] -= back
        p[:, 1] += side * rise * np.sqrt(np.clip(1 - s**4, 0, 1))
        p[:, 0] += wide * s**2
        rings.append(p)
    angle = np.where(side >= 0, 1.0, -1.0) * np.arccos(np.clip(s, 0, 1))
    for z, wide, high in ((74.0, 36.0, 20.0), (52.0, 33.0, 22.0), (30.0, 20.0, 16.0), (24.0, 6.0, 5.0)):
        bend = 1.0 - 0.0 * s
        rings.append(
            np.stack(
                [wide * np.cos(angle), -72.0 + high * np.sin(angle), (z - 16.0 * s**2 * (z > 60)) * bend], 1
            )
        )
    return rings[::-1]


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
