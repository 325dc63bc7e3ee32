"""The brows: flat strands in the skin, and the soft colour that the skin takes under them.

Axis names: `strands`, `points`. Millimetres. A woman's brow is the higher and thinner one and peaks above the
lateral third of the eye; a man's is flat, broad and on the ridge (Farkas, 1994).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from talkcli.engine.face.ada import complexion, field
from talkcli.engine.face.ada.curves import smoothstep
from talkcli.engine.face.ada.person import HAIR_COLOURS, Person
from talkcli.engine.face.ada.piece import Piece

Values = Float[np.ndarray, "points"]

STRANDS = 112
# Widest part of a strand: about a pixel where the head fills a picture of 512 pixels.
STRAND_MM = 0.66
_AT = (0.0, 0.25, 0.5, 0.72, 1.0)
_X = (12.6, 21.5, 31.0, 40.0, 51.0)
WOMAN = (19.9, 22.2, 24.6, 25.3, 21.4)
MAN = (18.6, 19.8, 20.9, 21.2, 18.4)


def line(t: Values, sex: float = 0.5) -> tuple[Values, Values]:
    """Return middle of the left brow in front view, t from the inner end to the tail."""
    y = np.array(WOMAN) + sex * (np.array(MAN) - np.array(WOMAN))
    return PchipInterpolator(_AT, _X)(t), PchipInterpolator(_AT, y)(t)


def half_width(t: Values, person: Person) -> Values:
    """Return half the breadth of the brow."""
    broad = (2.15 + 0.95 * person.sex) * (0.55 + 0.45 * person.brows)
    return broad * (0.62 + 0.38 * smoothstep(t, 0.0, 0.2)) * (1.0 - 0.78 * smoothstep(t, 0.45, 1.0))


def colour(person: Person) -> Float[np.ndarray, "3"]:
    """Return the colour of its hairs: as on the head, never as pale; little of it where there is no hair."""
    dark = np.array(HAIR_COLOURS[person.hair_colour])
    dark = dark * min(1.0, 0.13 / dark.max())
    mean = complexion.tint(person)
    return 0.45 * dark + 0.24 * mean if person.hair == "none" else 0.85 * dark + 0.03 * mean


def underlay(p: Float[np.ndarray, "points 3"], person: Person) -> Values:
    """Return how far points of the skin take the hairs' colour."""
    t = np.linspace(0.0, 1.0, 60)
    x, y = line(t, person.sex)
    along = np.hypot(np.abs(p[:, :1]) - x, p[:, 1:2] - y)
    nearest = along.argmin(1)
    gap = along[np.arange(len(p)), nearest] / (half_width(t, person)[nearest] + 0.8)
    fade = 0.5 + 0.5 * smoothstep(t, 0.0, 0.25) - 0.45 * smoothstep(t, 0.6, 1.0)
    strength = 0.24 * min(0.5 + 0.5 * person.brows, 1.3)
    return strength * fade[nearest] * np.exp(-(gap**2)) * (p[:, 2] > 40)


def build(person: Person, side: int) -> Piece:
    """Return the brow of a side (0 left, 1 right), made on the left: strands of four vertices, pointed at
    both ends, swept upwards at the inner end and outwards at the tail. No two sides are alike unless
    `asymmetry` is 0.
    """
    random = np.random.default_rng([person.seed, 31, side if person.asymmetry else 0])
    t = (np.arange(STRANDS) + random.uniform(0.0, 1.0, STRANDS)) / STRANDS
    t = t**0.96
    across = random.uniform(-1.0, 1.0, STRANDS)
    x, y = line(t, person.sex)
    y = y + across * half_width(t, person) - 0.6
    tilt = 76.0 - 54.0 * smoothstep(t, 0.0, 0.34) - 40.0 * smoothstep(t, 0.5, 1.0) - 16.0 * across
    tilt = np.deg2rad(tilt + random.normal(0.0, 5.0, STRANDS))
    long = (6.2 + 0.9 * person.sex - 1.6 * t + random.uniform(-1.2, 1.2, STRANDS)) * (
        0.7 if person.hair == "none" else 1.0
    )
    ahead = np.stack([np.cos(tilt), np.sin(tilt)])
    places = []
    for share, lift in ((-0.35, 0.05), (0.15, 0.42), (0.65, 0.55)):
        on_skin = field.cast_front(x + share * long * ahead[0], y + share * long * ahead[1])
        normal = field.gradient(on_skin)
        places.append(on_skin + lift * normal)
    root, middle, tip = places
    aside = np.cross(tip - root, normal)
    aside *= 0.5 * STRAND_MM / np.linalg.norm(aside, axis=1, keepdims=True)
    vertices = np.stack([root, middle - aside, middle + aside, tip], 1)
    hair = colour(person) * random.uniform(0.75, 1.35, (STRANDS, 1))
    # Ends, and whole strands at both ends of the brow, blend into the skin.
    thin = 0.45 * (1.0 - smoothstep(t, 0.0, 0.16)) + 0.40 * smoothstep(t, 0.75, 1.0)
    thin = np.stack([0.15 + 0.6 * thin, thin, thin, 0.4 + 0.4 * thin], 1)
    colours = complexion.mixed(hair[:, None], 0.8 * complexion.tint(person), thin)
    faces = (4 * np.arange(STRANDS))[:, None, None] + np.array([[0, 2, 1], [1, 2, 3]])[None]
    return Piece("brow", vertices.reshape(-1, 3), faces.reshape(-1, 3), colours.reshape(-1, 3))
